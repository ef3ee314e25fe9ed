import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { bundle } from '../../../scripts/build.js';

const root = join(import.meta.dirname, '../../..');

describe('a bundle', () => {
  let folder: string;
  beforeEach(() => {
    // Inside of the repository, where the packages are found.
    folder = mkdtempSync(join(root, 'node_modules/.bundle-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const built = async (source: string) => {
    const entry = join(folder, 'entry.ts');
    writeFileSync(entry, source);
    const [output] = await bundle({ entryPoints: { entry }, outdir: join(folder, 'out') });
    return {
      bytes: output?.bytes ?? 0,
      said: execFileSync(process.execPath, [join(folder, 'out/entry.js')]).toString(),
    };
  };

  it('runs on its own, with packages of both module kinds', async () => {
    const { said } = await built(
      "import { ResourceEventType } from '@dot-i/k8s-operator';\nimport { KubeConfig } from '@kubernetes/client-node';\n" +
        "import pino from 'pino';\nconst config = new KubeConfig();\n" +
        "config.loadFromOptions({ clusters: [{ name: 'c', server: 'https://cluster.example' }], users: [], contexts: [], currentContext: '' });\n" +
        'console.log(ResourceEventType.Added, config.getClusters()[0]?.server, typeof pino().info);',
    );
    expect(said.trim()).to.equal('ADDED https://cluster.example function');
  }).timeout(60_000);

  it('holds no model classes of client-node when only its KubeConfig is used', async () => {
    const { bytes } = await built(
      "import { KubeConfig } from '@kubernetes/client-node';\nconsole.log(typeof KubeConfig);",
    );
    expect(bytes).to.be.below(3_000_000);
  }).timeout(60_000);
});
