import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type Baseline, encodeBaseline } from '../../../src/backup/index.js';
import { openArtifact } from '../../../src/restore/artifact.js';
import { RestoreRefused } from '../../../src/restore/index.js';
import { baseline } from './support/baselines.js';

const bytesOf = async (made: Baseline): Promise<Buffer> => (await encodeBaseline(made)).json;
const edited = (change: (value: Record<string, unknown>) => void): Buffer => {
  const value = JSON.parse(JSON.stringify(baseline())) as Record<string, unknown>;
  change(value);
  return Buffer.from(JSON.stringify(value));
};
const entries = (value: Record<string, unknown>, list: string) => value[list] as Record<string, unknown>[];

async function refusalOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    expect(error).to.be.instanceOf(RestoreRefused);
    expect((error as RestoreRefused).kind).to.equal('Artifact');
    return (error as RestoreRefused).message;
  }
  throw new Error('it was expected to be refused');
}

describe('a baseline that is opened', () => {
  it('is the same from its JSON as from its gzip, with the checksum of the Backup', async () => {
    const json = await bytesOf(baseline());
    const plain = await openArtifact(json);
    const packed = await openArtifact(gzipSync(json));
    expect(packed).to.deep.equal(plain);
    expect(plain.sha256).to.equal(createHash('sha256').update(json).digest('hex'));
    expect(plain.baseline).to.deep.equal(baseline());
    expect(plain.notes).to.deep.equal([]);
  });

  it('says so when its bytes are not those that were written', async () => {
    const { notes } = await openArtifact(Buffer.from(JSON.stringify(baseline(), undefined, 2)));
    expect(notes.join()).to.contain('reformatted or edited by hand');
  });

  it('says which fields it does not know, and goes on without them', async () => {
    const { notes } = await openArtifact(
      edited((value) => {
        value.weather = 'fine';
        Object.assign(entries(value, 'cameras')[1] ?? {}, { mood: 'good' });
      }),
    );
    expect(notes.join()).to.contain('weather').and.contain('cameras[1].mood');
  });

  const bad: readonly (readonly [string, () => Promise<Buffer>, string])[] = [
    ['empty', async () => Buffer.alloc(0), 'it is empty'],
    ['no JSON', async () => Buffer.from('apiVersion: v1\nkind: Secret'), 'it is no JSON, or is cut off'],
    ['JSON that is cut off', async () => (await bytesOf(baseline())).subarray(0, 500), 'it is no JSON, or is cut off'],
    ['JSON, but no object', async () => Buffer.from('null'), 'it is no JSON, or is cut off'],
    [
      'a gzip that is cut off',
      async () => {
        const packed = gzipSync(await bytesOf(baseline()));
        return packed.subarray(0, packed.length - 20);
      },
      'its gzip is cut off; take another copy',
    ],
    [
      'a gzip with a damaged byte',
      async () => {
        const packed = gzipSync(await bytesOf(baseline()), { level: 0 });
        packed[200] = (packed[200] ?? 0) ^ 1;
        return packed;
      },
      'its gzip is damaged',
    ],
    ['foreign', async () => Buffer.from('{"kind":"List","items":[]}'), 'this is no baseline: its format is undefined'],
    ['of a newer format', () => bytesOf(baseline({ formatVersion: 2 })), 'use the version that wrote it (0.1.0)'],
    ['without its cameras', async () => edited((value) => delete value.cameras), 'the baseline: cameras: '],
    [
      'of a camera without a home',
      async () => edited((value) => Object.assign(entries(value, 'cameras')[0] ?? {}, { spec: { source: {} } })),
      'the baseline: cameras[0].spec.serverRef',
    ],
    [
      'with one server twice',
      async () => edited((value) => entries(value, 'servers').push(entries(value, 'servers')[0] ?? {})),
      'the baseline: servers: occur twice: recorder-a',
    ],
    [
      'with a server of another pool',
      async () =>
        edited((value) => Object.assign(entries(value, 'servers')[0]?.spec ?? {}, { poolRef: { name: 'south' } })),
      'servers that are not of pool north: recorder-a',
    ],
    [
      'that gives one server two roles',
      async () =>
        edited((value) => {
          const { roles } = value.pool as { roles: Record<string, unknown>[] };
          roles.push({ ...roles[0], name: 'recorder-b' });
        }),
      'pool.roles by holder: occur twice: standby-a',
    ],
    [
      'with an epoch beyond belief',
      async () => edited((value) => Object.assign(value.pool as object, { epoch: 2 ** 53 - 1 })),
      'the baseline: pool.epoch',
    ],
  ];
  for (const [what, bytes, words] of bad) {
    it(`is refused: ${what}`, async () => {
      expect(await refusalOf(openArtifact(await bytes()))).to.contain(words);
    });
  }

  it('is refused for a wrong checksum, of the file or of its content', async () => {
    const json = await bytesOf(baseline());
    const other = 'a'.repeat(64);
    expect(await refusalOf(openArtifact(json, { sha256: other }))).to.contain('the sha256 of the baseline is');
    expect(await refusalOf(openArtifact(json, { fileSha256: other }))).to.contain('the sha256 of the file is');
  });

  it('is refused for another pool than the one that is asked for', async () => {
    expect(await refusalOf(openArtifact(await bytesOf(baseline()), { pool: 'south' }))).to.contain(
      'it is of pool north, not of south',
    );
  });

  it('is refused before it is unpacked to more than a baseline can have', async () => {
    const bomb = gzipSync(Buffer.alloc(257 * 1024 * 1024), { level: 1 });
    expect(await refusalOf(openArtifact(bomb))).to.contain('unpacks to more than');
  });
});
