// Writes all that is made from src/crds: CRDs and admission policies, plain and for the chart, and the reference pages.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles, generatedFolders, root } from './generated-files.js';

const files = generatedFiles();
for (const folder of generatedFolders) removeLeftOvers(folder);
for (const [path, text] of files) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
console.log(`${files.size} files generated`);

function removeLeftOvers(folder: string): void {
  mkdirSync(join(root, folder), { recursive: true });
  for (const name of readdirSync(join(root, folder))) {
    if (!files.has(`${folder}/${name}`)) rmSync(join(root, folder, name), { recursive: true });
  }
}
