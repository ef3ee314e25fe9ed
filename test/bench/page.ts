import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));

const empty = `# Benchmarks

Written by \`npm run bench\`: each table tells of the run that wrote it, on the machine and of the commit that it names.
Times on another machine differ; ratios and counts should not.
`;

/** Puts a section in place of what an earlier run wrote under the same name; the other sections stay. */
export async function writeSection(name: string, text: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return empty;
    throw error;
  });
  await writeFile(file, withSection(before, name, text));
}

/** The page with a section of this name, which is put at the end when there is none. */
export function withSection(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const section = `${begin}\n${text.trim()}\n${end}`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${section}\n`;
  return `${page.slice(0, from)}${section}${page.slice(to + end.length)}`;
}
