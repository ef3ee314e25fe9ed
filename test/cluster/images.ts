import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Binaries, Progress } from './binaries.js';
import { daemonEnvironment } from './daemon.js';
import { exists } from './exists.js';
import { withFileLock } from './file-lock.js';
import { containerdConfig } from './node-config.js';
import { runFolder } from './paths.js';
import { run } from './run-command.js';
import { tools } from './tool-catalog.js';

/** The image of a pod's sandbox. It is on every node, so tests can also use it for a pod that only has to run. */
export const pauseImage = `understudy.dev/pause:${tools.pause.version}`;

/** How many sets of images are kept unpacked in the run folder; each is about as large as its archives. */
const keptSets = 3;

/**
 * Gives a folder with a container runtime's data in which the pause image and the archives are imported and unpacked.
 * Importing 300 MB takes 14 s a node; here it is done once a set, and every node gets a copy (cloneImages).
 */
export async function buildNodeImages(
  clusterFolder: string,
  binaries: Binaries,
  archives: readonly string[],
  onProgress: Progress,
): Promise<string> {
  const pauseArchive = join(clusterFolder, 'pause.tar');
  await buildPauseArchive(binaries('pause'), pauseArchive);
  const all = [pauseArchive, ...archives];
  // Another version of the runtime may keep its data in another way.
  const version = ((await run('containerd', ['--version'])).trim().split(' ')[2] ?? '').replaceAll('/', '-');
  const folder = join(runFolder(), 'images', `${await digestOf([binaries('pause'), ...archives])}-${version}`);
  await withFileLock(join(runFolder(), 'images.lock'), async () => {
    if (await exists(folder)) return utimes(folder, new Date(), new Date());
    if (archives.length > 0) onProgress(`Unpacking ${archives.length} image(s) for the nodes ...`);
    await rm(`${folder}.unfinished`, { recursive: true, force: true });
    await importAll(clusterFolder, `${folder}.unfinished`, all);
    await rename(`${folder}.unfinished`, folder);
    await removeOldSets(join(runFolder(), 'images'));
  });
  return folder;
}

/**
 * Gives a node its own runtime data. Blobs and unpacked layers never change once they are there, so they are hard
 * links; the databases are the only files written in place, and are copied.
 */
export async function cloneImages(template: string, target: string): Promise<void> {
  await run('cp', ['--archive', '--link', template, target]);
  for (const entry of await readdir(target, { recursive: true })) {
    if (/^io\.containerd\.(metadata|snapshotter)\.v1\.[a-z]+\/[a-z]+\.db$/.test(entry)) {
      await run('cp', ['--remove-destination', join(template, entry), join(target, entry)]);
    }
  }
}

/** Writes a one-layer image in the format of `docker save`. */
async function buildPauseArchive(binary: string, archive: string): Promise<void> {
  const folder = `${archive}.parts`;
  await mkdir(folder, { recursive: true });
  const reproducible = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  await run('tar', [
    '--create',
    ...reproducible,
    '--file',
    join(folder, 'layer.tar'),
    '-C',
    join(binary, '..'),
    'pause',
  ]);
  const digest = await digestOf([join(folder, 'layer.tar')], 64);
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/pause'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [pauseImage], Layers: ['layer.tar'] }];
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const parts = ['manifest.json', 'config.json', 'layer.tar'];
  await run('tar', ['--create', ...reproducible, '--file', archive, '-C', folder, ...parts]);
}

async function digestOf(files: readonly string[], length = 24): Promise<string> {
  const digest = createHash('sha256');
  for (const file of files) await pipeline(createReadStream(file), digest, { end: false });
  return digest.digest('hex').slice(0, length);
}

/** Runs a container runtime only for this, in namespaces of its own: it ends, with its mounts, when its script ends. */
async function importAll(clusterFolder: string, root: string, archives: readonly string[]): Promise<void> {
  await mkdir(root, { recursive: true });
  const config = join(clusterFolder, 'import-containerd.toml');
  const settings = { root, sandboxImage: pauseImage, cniConfigFolder: clusterFolder, restrictOomScoreAdj: true };
  await writeFile(config, containerdConfig(settings));
  const log = join(clusterFolder, 'logs', 'image-import.log');
  const script = `set -e
mount -t tmpfs tmpfs /run
containerd --config "$1" >> "$2" 2>&1 &
runtime=$!
shift 2
for try in $(seq 150); do ctr version > /dev/null 2>&1 && break; sleep 0.1; done
for archive in "$@"; do ctr --namespace k8s.io images import "$archive"; done
kill "$runtime"
wait "$runtime" || true
`;
  const isolated = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const args = [
    '--pdeathsig',
    'KILL',
    'unshare',
    ...isolated,
    '--',
    'sh',
    '-c',
    script,
    'import',
    config,
    log,
    ...archives,
  ];
  await run('setpriv', args, { env: daemonEnvironment(clusterFolder), timeoutMs: 600_000 });
}

async function removeOldSets(folder: string): Promise<void> {
  const sets = await Promise.all(
    (await readdir(folder)).map(async (name) => ({ name, time: (await stat(join(folder, name))).mtimeMs })),
  );
  sets.sort((a, b) => b.time - a.time);
  for (const { name } of sets.slice(keptSets)) await rm(join(folder, name), { recursive: true, force: true });
}

/** For the end of the last cluster: frees the space of the sets that are kept for the next one. */
export async function removeUnpackedImages(): Promise<void> {
  await rm(join(runFolder(), 'images'), { recursive: true, force: true });
}
