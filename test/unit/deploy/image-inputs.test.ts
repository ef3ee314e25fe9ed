import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { contentKey, imageInputs } from '../../image/content-key.js';

const root = join(import.meta.dirname, '../../..');

describe('the image’s content key', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'content-key-'));
    mkdirSync(join(folder, 'src/a'), { recursive: true });
    writeFileSync(join(folder, 'src/a/one.ts'), '1');
    writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('changes with a content, with a name and with a new file', async () => {
    const key = () => contentKey(folder, ['Dockerfile', 'src'], ['x']);
    const keys = [await key()];
    writeFileSync(join(folder, 'src/a/one.ts'), '2');
    keys.push(await key());
    writeFileSync(join(folder, 'src/two.ts'), '');
    keys.push(await key());
    rmSync(join(folder, 'src/two.ts'));
    writeFileSync(join(folder, 'src/three.ts'), '');
    keys.push(await key());
    expect(new Set(keys).size).to.equal(4);
  });

  it('stays when nothing has changed but times', async () => {
    const first = await contentKey(folder, ['Dockerfile', 'src'], ['x']);
    writeFileSync(join(folder, 'src/a/one.ts'), '1');
    expect(await contentKey(folder, ['Dockerfile', 'src'], ['x'])).to.equal(first);
  });

  it('covers every file that the build may see, so that no change is missed', () => {
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    const allowed = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect([...imageInputs].filter((input) => !['Dockerfile', '.dockerignore'].includes(input)).sort()).to.deep.equal(
      allowed.sort(),
    );
  });
});
