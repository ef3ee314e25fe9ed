import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type BackupEngine, BackupError, encodeBaseline } from '../../../src/backup/index.js';
import { parseCommand, UsageError } from '../../../src/cli/restore/arguments.js';
import { runRestore } from '../../../src/cli/restore/command.js';
import type { Connected } from '../../../src/cli/restore/connection.js';
import { backups } from '../../../src/crds/index.js';
import { ApiError, type KubeClient } from '../../../src/operator/index.js';
import { backup } from '../backup/support/system.js';
import { baseline } from './support/baselines.js';
import { MemoryCluster, withOperator } from './support/memory-cluster.js';

const pool = { namespace: 'site', name: 'north' };
const json = async () => (await encodeBaseline(baseline())).json;

/** Keeps one baseline; or fails as it is told. */
function engine(read: () => Promise<Buffer | undefined>): BackupEngine {
  return {
    name: 'Secret',
    maxBytes: 1,
    async read() {
      const bytes = await read();
      if (bytes === undefined) return undefined;
      const { sha256, servers, cameras } = await encodeBaseline(baseline());
      const sizes = { bytes: 1, uncompressedBytes: bytes.length, servers, cameras };
      return { json: bytes, artifact: { location: 'secret/north-3-0', parts: 1, sha256, formatVersion: 1, ...sizes } };
    },
    check: async () => {
      throw new Error('a restore reads the whole baseline');
    },
    write: async () => {
      throw new Error('a restore writes no baseline');
    },
  };
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command on the cluster; `answer`: what a person types, if there is one. */
async function run(
  cluster: MemoryCluster,
  argv: string[],
  more: { answer?: boolean; engine?: BackupEngine } = {},
): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const { answer } = more;
  const confirm = answer === undefined ? undefined : async () => answer;
  const connected: Connected = {
    client: cluster as unknown as KubeClient,
    server: 'https://cluster.example',
    namespace: 'site',
    engines: new Map((['Secret', 'S3'] as const).map((name) => [name, more.engine ?? engine(json)])),
  };
  const code = await runRestore(
    argv,
    { out: (text) => out.push(text), err: (text) => err.push(text), confirm },
    () => connected,
  );
  return { code, out: out.join('\n'), err: err.join('\n') };
}

function clusterWithBackup(): MemoryCluster {
  const cluster = new MemoryCluster('site', 'other');
  cluster.put(backups.plural, backup());
  return withOperator(cluster, pool);
}

describe('the command line', () => {
  const wrong: readonly (readonly [string[], string])[] = [
    [['--backup', 'a', '--file', 'b'], 'give one of --backup and --file'],
    [['--apply'], 'give one of --backup and --file'],
    [['--backup', 'a/b/c'], "--backup takes NAME or NAMESPACE/NAME, not 'a/b/c'"],
    [['--file', 'a', '--sha256', 'abc'], '--sha256 takes the 64 hexadecimal digits'],
    [['--file', 'a', '--output', 'b'], '--output belongs to export'],
    [['--file', 'a', '--aply'], "Unknown option '--aply'"],
    [['exprot', '--backup', 'a'], "'exprot' is not understood"],
    [['export', '--backup', 'a'], 'export needs --backup and --output'],
    [['export', '--backup', 'a', '--output', 'b', '--apply'], 'export does not take --apply'],
  ];
  for (const [argv, words] of wrong) {
    it(`refuses '${argv.join(' ')}' and says what to write`, async () => {
      const { code, err } = await run(new MemoryCluster('site'), argv);
      expect(code).to.equal(2);
      expect(err).to.contain(words).and.contain('npm run restore -- --backup');
    });
  }

  it('reads namespaces, and cameras as often as they are given', () => {
    const command = parseCommand(['--backup', 'site/north-3', '-n', 'other', '--camera', 'a', '--camera', 'b']);
    expect(command).to.deep.include({ namespace: 'other', cameras: ['a', 'b'], apply: false });
    expect(command).to.deep.include({ source: { backup: { namespace: 'site', name: 'north-3' } } });
    expect(() => parseCommand(['--nonsense'])).to.throw(UsageError);
  });

  it('says how it is used when nothing is asked', async () => {
    expect(await run(new MemoryCluster(), [])).to.deep.include({ code: 0 });
  });
});

describe('the command', () => {
  it('shows the plan and changes nothing without --apply, when nobody is there to ask', async () => {
    const cluster = clusterWithBackup();
    const { code, out } = await run(cluster, ['--backup', 'north-3']);
    expect(code).to.equal(0);
    expect(out).to.contain('from      Backup site/north-3 (Secret: secret/north-3-0)');
    expect(out).to.contain('into      namespace site of https://cluster.example');
    expect(out).to.contain('role      recorder-a -> standby-a at epoch 3');
    expect(out).to.contain('nothing was changed; --apply carries it out');
    expect(cluster.writes).to.deep.equal([]);
  });

  it('carries it out when a person says yes, and not when she says anything else', async () => {
    const cluster = clusterWithBackup();
    expect(await run(cluster, ['--backup', 'north-3'], { answer: false })).to.include({ code: 0 });
    expect(cluster.writes).to.deep.equal([]);
    const { code, out } = await run(cluster, ['--backup', 'north-3'], { answer: true });
    expect(code).to.equal(0);
    expect(out).to.contain('restored. Look: kubectl -n site get');
    expect(cluster.writes).to.have.length(10);
  });

  it('has nothing to do the second time, and asks nobody', async () => {
    const cluster = clusterWithBackup();
    await run(cluster, ['--backup', 'north-3', '--apply']);
    const { code, out } = await run(cluster, ['--backup', 'north-3'], { answer: false });
    expect(code).to.equal(0);
    expect(out).to.contain('nothing to do: 0 to create, 0 to change, 8 the same, 0 left');
    expect(out).not.to.contain('nothing was changed');
  });

  it('restores into another namespace', async () => {
    const cluster = withOperator(clusterWithBackup(), { ...pool, namespace: 'other' });
    await run(cluster, ['--backup', 'site/north-3', '--namespace', 'other', '--apply']);
    const made = [...cluster.objects.keys()].filter((name) => /servers|pools|assignments/.test(name));
    expect(made).to.have.length(8);
    expect(made.every((name) => name.includes('/other/'))).to.equal(true);
  });

  it('restores one camera, and asks for its login only', async () => {
    const cluster = clusterWithBackup();
    const { out } = await run(cluster, ['--backup', 'north-3', '--camera', 'gate', '--apply']);
    expect(cluster.writes).to.deep.equal(['apply cameraassignments gate']);
    expect(out).to.contain('login-gate').and.not.contain('login-door');
  });

  it('tells refusals apart by its exit code', async () => {
    const cluster = clusterWithBackup();
    const damaged = await run(cluster, ['--backup', 'north-3', '--sha256', 'a'.repeat(64), '--apply']);
    expect(damaged.code).to.equal(3);
    expect(damaged.err).to.match(/^refused, and nothing was restored:\n- the baseline can't be used: the sha256/);
    const nowhere = await run(cluster, ['--backup', 'north-3', '--namespace', 'nowhere', '--apply']);
    expect(nowhere.code).to.equal(4);
    await run(cluster, ['--backup', 'north-3', '--apply']);
    const move = { epoch: 9, step: 'TakingOver' as const, trigger: 'Unreachable' as const, committedTime: '' };
    const current = { server: 'recorder-b', role: 'recorder-b', standby: 'standby-b', ...move };
    cluster.setPoolStatus(pool, { epoch: 9, current });
    const running = await run(cluster, ['--backup', 'north-3', '--apply']);
    expect(running.code).to.equal(5);
    expect(running.err).to.contain('moves from recorder-b to standby-b');
  });

  it('says that it may be run again when it was cut off', async () => {
    const cluster = clusterWithBackup();
    cluster.fault = { write: 4, when: 'after' };
    const { code, err } = await run(cluster, ['--backup', 'north-3', '--apply']);
    expect(code).to.equal(1);
    expect(err).to.contain('run the same command again: it goes on where it ended');
  });

  describe('with a Backup that can not be read', () => {
    const cases: readonly (readonly [string, BackupEngine | undefined, string[], string])[] = [
      ['is not there', undefined, ['--backup', 'nort-3'], 'there is no Backup nort-3 in namespace site'],
      ['is not whole', engine(async () => undefined), ['--backup', 'north-3'], 'Backup north-3 is not complete'],
      ['is of another pool than asked', undefined, ['--backup', 'north-3', '--pool', 'south'], 'it is of pool north'],
      [
        'has an engine that fails for good',
        engine(() => Promise.reject(new BackupError('EngineRefused', 'the bucket is missing; make it'))),
        ['--backup', 'north-3'],
        'its engine Secret could not read it: the bucket is missing; make it',
      ],
      [
        'may not be read',
        engine(() => Promise.reject(new ApiError('forbidden', 'secrets is forbidden'))),
        ['--backup', 'north-3'],
        'could not read it: secrets is forbidden',
      ],
    ];
    it('says where its object is when its store has moved: the pool of today has no say in that', async () => {
      const cluster = clusterWithBackup();
      const s3 = {
        bucket: 'baselines',
        region: 'us-east-1',
        prefix: '',
        pathStyle: true,
        credentialsSecretRef: { name: 's3' },
      };
      const location = 's3://baselines/site/north/north-3.uid.baseline';
      cluster.put(backups.plural, {
        ...backup(),
        status: { destination: { engine: 'S3', s3 }, artifact: { location } },
      } as never);
      const gone = engine(() => Promise.reject(new BackupError('EndpointUnreachable', 'nothing answers')));
      const { code, err } = await run(cluster, ['--backup', 'north-3'], { engine: gone });
      expect(code).to.equal(3);
      expect(err).to.contain(`where the store has moved, download ${location} and give it with --file`);
    });

    for (const [what, from, argv, words] of cases) {
      it(`refuses one that ${what}`, async () => {
        const { code, err } = await run(clusterWithBackup(), [...argv, '--apply'], from ? { engine: from } : {});
        expect(code).to.equal(3);
        expect(err).to.contain(words);
      });
    }

    it('refuses one of a foreign engine', async () => {
      const cluster = clusterWithBackup();
      const foreign = backup();
      cluster.put(backups.plural, { ...foreign, spec: { ...foreign.spec, engine: 'Tape' } });
      const { code, err } = await run(cluster, ['--backup', 'north-3']);
      expect(code).to.equal(3);
      expect(err).to.contain('is kept by engine Tape, which this version does not have');
    });

    it('says where one is that Velero keeps, and which page tells how to restore it', async () => {
      const cluster = clusterWithBackup();
      const kept = backup();
      const velero = { namespace: 'velero', backupName: 'site-north-3-2f1c9a77', uid: 'u', phase: 'Completed' };
      const status = { destination: { engine: 'Velero' }, velero };
      cluster.put(backups.plural, { ...kept, spec: { ...kept.spec, engine: 'Velero' }, status });
      const { code, err } = await run(cluster, ['--backup', 'north-3']);
      expect(code).to.equal(3);
      expect(err).to.contain('velero/site-north-3-2f1c9a77').and.to.contain('docs/backup-velero.md');
    });
  });

  describe('with files', () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'understudy-restore-'));
    });
    after(() => rm(folder, { recursive: true }));

    it('exports what restores to the same, when the cluster is gone', async () => {
      const file = join(folder, 'north-3.json.gz');
      const exported = await run(clusterWithBackup(), ['export', '--backup', 'north-3', '--output', file]);
      expect(exported.code, exported.err).to.equal(0);
      expect(gunzipSync(await readFile(file)).equals(await json())).to.equal(true);
      const cluster = withOperator(new MemoryCluster('site'), pool);
      const restored = await run(cluster, ['--file', file, '--apply']);
      expect(restored.code, restored.err).to.equal(0);
      expect(restored.out).to.contain(`from      file ${file}`);
      expect(cluster.writes).to.have.length(10);
    });

    it('writes plain JSON, for nobody else to read, with a checksum that sha256sum takes', async () => {
      const file = join(folder, 'plain.json');
      await run(clusterWithBackup(), ['export', '--backup', 'north-3', '--output', file]);
      expect((await readFile(file)).equals(await json())).to.equal(true);
      expect((await stat(file)).mode & 0o077).to.equal(0);
      const checked = execFileSync('sha256sum', ['--check', 'plain.json.sha256'], { cwd: folder, encoding: 'utf8' });
      expect(checked).to.equal('plain.json: OK\n');
    });

    it('does not write over a file', async () => {
      const file = join(folder, 'taken.json');
      await writeFile(file, 'mine');
      const { code, err } = await run(clusterWithBackup(), ['export', '--backup', 'north-3', '--output', file]);
      expect(code).to.equal(3);
      expect(err).to.contain('is there already; give another --output');
      expect(await readFile(file, 'utf8')).to.equal('mine');
    });

    it('refuses a file that does not fit the checksum beside it', async () => {
      const file = join(folder, 'swapped.json');
      await run(clusterWithBackup(), ['export', '--backup', 'north-3', '--output', file]);
      await writeFile(file, JSON.stringify(baseline()));
      const { code, err } = await run(new MemoryCluster('site'), ['--file', file, '--apply']);
      expect(code).to.equal(3);
      expect(err).to.contain('the sha256 of the file is');
    });

    it('refuses a file that is not there', async () => {
      const { code, err } = await run(new MemoryCluster('site'), ['--file', join(folder, 'nothing')]);
      expect(code).to.equal(3);
      expect(err).to.contain("the file can't be read: ENOENT");
    });
  });
});
