import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { findCgroups, processesIn } from '../cluster/cgroups.js';
import { type Cluster, type ClusterNode, type NodeDisk, startCluster } from '../cluster/cluster.js';
import { pauseImage } from '../cluster/images.js';
import { countLeftovers, describeLeftovers, findLeftovers } from '../cluster/leftovers.js';
import { localStorageClass, localVolume } from '../cluster/local-volume.js';
import { endProcesses, identify, isAlive, signal } from '../cluster/process-identity.js';
import { run } from '../cluster/run-command.js';
import { scopeOf } from '../cluster/teardown.js';
import { waitUntil } from '../cluster/wait-until.js';

const progress = (line: string) => console.error(`      ${line}`);
/** The first start on a machine builds the binaries. */

describe('the local cluster', function () {
  this.timeout(180_000);
  let cluster: Cluster;
  let first: ClusterNode;
  let second: ClusterNode;
  let disk: NodeDisk;

  before('two nodes and a disk', async () => {
    cluster = await startCluster({ nodes: 2, nodeMonitorGraceSeconds: 8, onProgress: progress });
    const [one, two] = cluster.nodes;
    if (!one || !two) throw new Error('two nodes were asked for');
    [first, second] = [one, two];
    disk = await first.addDisk('footage', 64);
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests() }));
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod', '--all', '--timeout=90s']);
  });
  after(async () => {
    await cluster?.stop();
  });

  function manifests(): unknown[] {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'footage' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'local',
        resources: { requests: { storage: '32Mi' } },
      },
    };
    const volume = localVolume(first, disk, { name: 'footage', storageClass: 'local', capacity: '32Mi' });
    return [
      localStorageClass('local'),
      volume,
      claim,
      pod('recorder', { claim: 'footage' }),
      pod('other', { on: second.name }),
    ];
  }

  it('runs pods on the nodes that the scheduler or their disk decides', async () => {
    expect(await nodeOf('recorder')).to.equal(first.name);
    expect(await nodeOf('other')).to.equal(second.name);
  });

  it('leads a pod on any node to the API server and to a pod on another node through their Services', async () => {
    const answer = await fetchFrom('other', `https://${await serviceAddress('kubernetes')}/version`);
    expect(JSON.parse(answer)).to.have.property('gitVersion', 'v1.36.3');
    await cluster.kubectl(['expose', 'pod', 'recorder', '--port=80', '--target-port=8080']);
    const server = spawn('nsenter', [
      '-t',
      String(await processOf('recorder')),
      '-n',
      process.execPath,
      '-e',
      tinyServer,
    ]);
    try {
      await once(server.stdout, 'data');
      const url = `http://${await serviceAddress('recorder')}/`;
      const served = () => fetchFrom('other', url).catch(() => undefined);
      expect(await waitUntil('the Service answers', served, { timeoutMs: 20_000 })).to.equal('hello');
    } finally {
      server.kill('SIGKILL');
    }
  });

  it('loses in a power cut every process of the node and what its disk had not synced, and nothing else', async () => {
    await writeFile(join(disk.mountPath, 'synced'), 'kept', { flush: true });
    const folder = await open(disk.mountPath, 'r');
    await folder.sync();
    await folder.close();
    await writeFile(join(disk.mountPath, 'unsynced'), 'lost');
    const [dead, living] = await Promise.all(
      [processOf('recorder'), processOf('other')].map(async (pid) => identify(await pid)),
    );
    if (!dead || !living) throw new Error('both pods run before the power cut');

    await first.powerCut();
    expect(await isAlive(dead)).to.equal(false);
    expect(await isAlive(living)).to.equal(true);
    await untilReadyIs(first.name, 'Unknown');

    await first.powerOn();
    expect(await readFile(join(disk.mountPath, 'synced'), 'utf8')).to.equal('kept');
    const unsynced = await readFile(join(disk.mountPath, 'unsynced'), 'utf8').catch(() => '');
    expect(unsynced).to.equal('');
    await untilReadyIs(first.name, 'True');
    const restarted = async () => (await podProcess('recorder')) !== undefined;
    await waitUntil('the kubelet has started its pod again', restarted, { timeoutMs: 60_000 });
    expect(await nodeOf('recorder')).to.equal(first.name);
  });

  it('kills a disk so that the pod on it gets EIO, and repairs it when the pod is gone', async () => {
    const inPod = join(`/proc/${await processOf('recorder')}/root/footage/synced`);
    expect(await readFile(inPod, 'utf8')).to.equal('kept');
    await disk.shutdown();
    expect(await errorCode(readFile(inPod))).to.equal('EIO');
    expect(await errorCode(writeFile(join(disk.mountPath, 'new'), 'x'))).to.equal('EIO');
    await cluster.kubectl(['delete', 'pod', 'recorder', '--wait=true']);
    await disk.repair();
    expect(await readdir(disk.mountPath)).to.include('synced');
  });

  it('hangs a disk until it is thawed', async () => {
    await disk.freeze();
    const writer = spawn('dd', ['if=/dev/zero', `of=${join(disk.mountPath, 'hanging')}`, 'bs=1', 'count=1']);
    const ended = once(writer, 'exit').then(() => 'ended');
    const waits = async () => /^State:\s+D/m.test(await readFile(`/proc/${writer.pid}/status`, 'utf8').catch(() => ''));
    await waitUntil('the writer hangs in the kernel', waits, { timeoutMs: 10_000 }).finally(() => disk.thaw());
    expect(await ended).to.equal('ended');
  });

  it('refuses to shut down a path that is not the mount of its own disk', async () => {
    await run('umount', [disk.mountPath]);
    const refusal = await disk.shutdown().catch((error: Error) => error.message);
    expect(refusal).to.include('nothing was done');
    await disk.repair();
  });

  it('cuts a node off from the others while its pods go on, and heals it', async () => {
    const pid = await processOf('other');
    const before = await identify(pid);
    if (!before) throw new Error('the pod runs before the partition');
    await second.partition();
    await untilReadyIs(second.name, 'Unknown');
    expect(await isAlive(before)).to.equal(true);
    await second.heal();
    await untilReadyIs(second.name, 'True');
  });

  it('loses a kubelet while its pods go on, and starts it again', async () => {
    const before = await identify(await processOf('other'));
    if (!before) throw new Error('the pod runs before its kubelet is killed');
    await second.killKubelet();
    await untilReadyIs(second.name, 'Unknown');
    expect(await isAlive(before)).to.equal(true);
    await second.startKubelet();
    await untilReadyIs(second.name, 'True');
  });

  it('keeps its data while the API server is down', async () => {
    await cluster.controlPlane.stopApiServer();
    const answer = await cluster.kubectl(['get', 'nodes', '--request-timeout=2s']).catch((error: Error) => error.name);
    expect(answer).to.equal('CommandError');
    await cluster.controlPlane.startApiServer();
    expect(await cluster.kubectl(['get', 'nodes', '-o', 'name'])).to.equal('node/node-1\nnode/node-2\n');
  });

  it('runs beside another one, which leaves nothing behind when its owner is killed', async () => {
    const name = `${cluster.name}-beside`;
    const owner = await startOwner(name);
    const scope = await scopeOf(name);
    const before = await findLeftovers(scope);
    for (const kind of [
      'processes',
      'namespaces',
      'links',
      'mounts',
      'loopDevices',
      'cgroups',
      'runFolders',
    ] as const) {
      expect(before[kind], kind).not.to.deep.equal([]);
    }
    const identity = await identify(owner.pid ?? 0);
    if (!identity) throw new Error('the owner lives before it is killed');
    await signal(identity, 'SIGKILL');
    await waitUntil('the reaper has done its work', async () => countLeftovers(await findLeftovers(scope)) === 0, {
      timeoutMs: 60_000,
      hint: async () => `Left: ${describeLeftovers(await findLeftovers(scope))}`,
    });
    expect(await cluster.kubectl(['get', 'nodes', '-o', 'name'])).to.equal('node/node-1\nnode/node-2\n');
  });

  it('sweeps at the next start what is left when even the reaper was killed', async () => {
    const name = `${cluster.name}-swept`;
    const owner = await startOwner(name, 0);
    const scope = await scopeOf(name);
    const reaper = scope.journal.find((entry) => entry.kind === 'process' && entry.what === 'reaper');
    const identity = await identify(owner.pid ?? 0);
    if (reaper?.kind !== 'process' || !identity)
      throw new Error('the owner and its reaper live before they are killed');
    await endProcesses([reaper], 0);
    await endProcesses([identity], 0);
    expect((await findLeftovers(scope)).processes).not.to.deep.equal([]);
    const next = await startCluster();
    try {
      expect(describeLeftovers(await findLeftovers(scope))).not.to.match(/[1-9]/);
    } finally {
      await next.stop();
    }
  });

  it('does not start a second time under the same name', async () => {
    const refusal = await startCluster({ name: cluster.name }).catch((error: Error) => error.message);
    expect(refusal).to.include(`There is a cluster ${cluster.name} already`);
  });

  async function nodeOf(name: string): Promise<string> {
    return cluster.kubectl(['get', 'pod', name, '-o', 'jsonpath={.spec.nodeName}']);
  }

  async function serviceAddress(name: string): Promise<string> {
    return cluster.kubectl(['get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}']);
  }

  async function untilReadyIs(name: string, wanted: string): Promise<void> {
    const query = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    const is = async () => (await cluster.kubectl(['get', 'node', name, '-o', query])) === wanted;
    await waitUntil(`${name} is Ready=${wanted}`, is, { timeoutMs: 90_000, intervalMs: 250 });
  }

  /** The process of the pod's container, seen from this machine. */
  async function podProcess(name: string): Promise<number | undefined> {
    const uid = await cluster.kubectl(['get', 'pod', name, '-o', 'jsonpath={.metadata.uid}']);
    const id = await cluster.kubectl(['get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].containerID}']);
    const container = id.replace('containerd://', '');
    const pids = (
      await Promise.all((await findCgroups((cgroup) => cgroup.startsWith('understudy-'))).map(processesIn))
    ).flat();
    for (const pid of new Set(pids)) {
      const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
      if (cgroups.includes(uid) && cgroups.includes(container)) return pid;
    }
    return undefined;
  }

  function processOf(name: string): Promise<number> {
    return waitUntil(`pod ${name} has a process`, () => podProcess(name), { timeoutMs: 30_000 });
  }

  /** What a client in the pod's network gets. */
  async function fetchFrom(name: string, url: string): Promise<string> {
    const script =
      'fetch(process.argv[1], { signal: AbortSignal.timeout(5000) }).then((r) => r.text()).then(console.log)';
    const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' };
    const args = ['-t', `${await processOf(name)}`, '-n', process.execPath, '-e', script, url];
    return (await run('nsenter', args, { env, timeoutMs: 15_000 })).trim();
  }
});

const tinyServer =
  "require('http').createServer((q, a) => a.end('hello')).listen(8080, '0.0.0.0', () => console.log('listening'))";

function pod(name: string, where: { claim?: string; on?: string }): unknown {
  const volumes = where.claim ? [{ name: 'footage', persistentVolumeClaim: { claimName: where.claim } }] : [];
  const volumeMounts = where.claim ? [{ name: 'footage', mountPath: '/footage' }] : [];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      ...(where.on ? { nodeSelector: { 'kubernetes.io/hostname': where.on } } : {}),
      terminationGracePeriodSeconds: 1,
      // As a recorder: Kubernetes must not remove it from a node that is silent.
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name, image: pauseImage, imagePullPolicy: 'Never', volumeMounts }],
      volumes,
    },
  };
}

async function errorCode(action: Promise<unknown>): Promise<string | undefined> {
  return action.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
}

/** A process that starts a cluster whose nodes have a disk each, and then does nothing. */
async function startOwner(name: string, nodes = 1) {
  const module = fileURLToPath(new URL('../cluster/cluster.ts', import.meta.url));
  const script = `import(${JSON.stringify(module)}).then(async ({ startCluster }) => {
    const cluster = await startCluster({ name: ${JSON.stringify(name)}, nodes: ${nodes} });
    for (const node of cluster.nodes) await node.addDisk('footage', 64);
    console.log('started');
    setInterval(() => undefined, 60_000);
  })`;
  const owner = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([
    once(owner.stdout, 'data'),
    once(owner, 'exit').then(() => Promise.reject(new Error('the owner ended before its cluster was up'))),
  ]);
  return owner;
}

describe('the binaries of the local cluster', function () {
  this.timeout(180_000);

  it('are built once when two processes want them at the same time', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'understudy-cache-'));
    try {
      const goCache = (await run('go', ['env', 'GOCACHE'])).trim();
      const env = { ...process.env, XDG_CACHE_HOME: cache, GOCACHE: goCache };
      const lines = (await Promise.all([buildPause(env), buildPause(env)])).join('').split('\n');
      expect(lines.filter((line) => line.startsWith('Building pause'))).to.have.length(1);
      const [one, other] = lines.filter((line) => line.startsWith('path '));
      expect(one).to.equal(other);
      // A third one trusts the stamp no further than the binary's own word.
      await writeFile((one ?? '').replace('path ', ''), '#!/bin/sh\necho pause 0.0.0\n');
      expect(await buildPause(env)).to.include('Building pause');
    } finally {
      await rm(cache, { recursive: true, force: true });
    }
  });
});

function buildPause(env: NodeJS.ProcessEnv): Promise<string> {
  const module = fileURLToPath(new URL('../cluster/binaries.ts', import.meta.url));
  const script = `import(${JSON.stringify(module)}).then(async ({ ensureBinaries }) => {
    console.log('path ' + (await ensureBinaries(['pause'], console.log))('pause'));
  })`;
  return run(process.execPath, ['--import', import.meta.resolve('tsx'), '-e', script], { env });
}
