import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What the image is made from, relative to the repository; the same list as .dockerignore lets through. */
export const imageInputs = [
  'Dockerfile',
  '.dockerignore',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'src',
  'scripts/bootstrap.mjs',
  'scripts/build.ts',
  'scripts/lean-client-node.ts',
  'deploy/image',
] as const;

/** Hash over the names and contents of files and of all files in folders, and over further words; 16 hex digits. */
export async function contentKey(root: string, inputs: readonly string[], words: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const word of words) hash.update(`word ${word.length} ${word}\n`);
  for (const input of inputs) {
    for (const file of await filesIn(root, input)) {
      const content = await readFile(join(root, file));
      hash.update(`file ${file} ${content.length}\n`).update(content);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesIn(root: string, path: string): Promise<string[]> {
  if (!(await stat(join(root, path))).isDirectory()) return [path];
  const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
