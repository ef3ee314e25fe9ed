import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A fenced block of shell commands on a page. */
export interface PageCommands {
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** Without the indentation of the list that it stands in. */
  readonly text: string;
}

/** The blocks fenced as `sh` on the page for whoever is on call, in their order. */
export function backupPageCommands(): PageCommands[] {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/backup.md'), 'utf8');
  return [...page.matchAll(/^( *)```sh\n(.*?)^\1```$/gms)].map(({ 1: indent = '', 2: body = '', index }) => ({
    line: page.slice(0, index).split('\n').length,
    text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}
