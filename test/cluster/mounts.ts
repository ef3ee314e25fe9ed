import { readFile } from 'node:fs/promises';

export interface Mount {
  readonly path: string;
  readonly source: string;
  readonly type: string;
}

/** This process's mounts, in the order in which they were made. */
export async function listMounts(): Promise<Mount[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Reads /proc/PID/mountinfo; the kernel writes a space in a path as \040. */
export function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n').filter(Boolean)) {
    const [before = '', after = ''] = line.split(' - ');
    const [type = '', source = ''] = after.split(' ');
    mounts.push({ path: unescapeOctal(before.split(' ')[4] ?? ''), source: unescapeOctal(source), type });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** True for the folder itself and everything in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
