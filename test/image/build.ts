// Builds the image of the Dockerfile without Docker and without an image registry, for clusters of our own.
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { withFileLock } from '../cluster/file-lock.js';
import { installMissing } from '../cluster/packages.js';
import { cacheFolder, userId } from '../cluster/paths.js';
import { ensureBaseImage } from './base-image.js';
import { type Buildah, openBuildah } from './buildah.js';
import { contentKey, imageInputs } from './content-key.js';
import { suite, writeHostSources } from './host-sources.js';

const root = resolve(import.meta.dirname, '../..');
const needs = [
  { command: 'buildah', package: 'buildah', why: 'builds the image' },
  { command: 'mmdebstrap', package: 'mmdebstrap', why: 'makes its base from Debian packages' },
  { command: 'flock', package: 'util-linux', why: 'keeps two runs apart' },
];
/** Images kept in the cache; the older ones go when a new one is built. */
const imagesKept = 4;

export interface BuiltImage {
  /** Absolute path of a docker-archive with uncompressed layers: `ctr images import` reads it as it is. */
  readonly archive: string;
  /** The name in the archive, for pods with imagePullPolicy Never: `localhost/understudy:dev-<content hash>`. */
  readonly reference: string;
  /** The image's id (digest of its configuration), which kubelets show as imageID. */
  readonly digest: string;
}

export interface BuildOptions {
  readonly onProgress: (line: string) => void;
}

/**
 * The image of the checkout as it is, from the cache if nothing that it is made from has changed. Stages whose inputs
 * are unchanged are taken from the cache as well, so a change of the sources costs seconds. Needs root. Parallel calls
 * wait for each other. Throws with the last lines of the failing step.
 */
export async function buildImage({ onProgress }: BuildOptions): Promise<BuiltImage> {
  const folder = join(cacheFolder(), 'image');
  await mkdir(folder, { recursive: true });
  const key = await contentKey(root, imageInputs, [suite, process.arch]);
  const known = await readBuilt(folder, key);
  if (known) return known;
  if (userId() !== 0) throw new Error('Building the image needs root: buildah changes the root folder for its steps.');
  await installMissing(needs, onProgress);
  const waiting = () => onProgress('Waiting for another build of the image');
  return withFileLock(
    join(folder, 'lock'),
    async () => (await readBuilt(folder, key)) ?? (await build(folder, key, onProgress)),
    waiting,
  );
}

async function build(folder: string, key: string, onProgress: (line: string) => void): Promise<BuiltImage> {
  const buildah = await openBuildah(folder);
  await removeLeftovers(buildah, folder);
  const sources = await writeHostSources(join(folder, 'host'));
  const base = await ensureBaseImage(buildah, folder, sources.aptSources, onProgress);
  const reference = `localhost/understudy:dev-${key}`;

  onProgress('Building the image (minutes the first time, seconds when only sources have changed)');
  await mkdir(join(folder, 'npm'), { recursive: true });
  await buildah(
    [
      'bud',
      '--isolation=chroot',
      '--layers',
      '--pull-never',
      `--build-arg=BASE=${base}`,
      ...sources.volumes.map((volume) => `--volume=${volume}`),
      `--volume=${join(folder, 'npm')}:/root/.npm`,
      `--tag=${reference}`,
      root,
    ],
    (line) => {
      if (/^(\[\d+\/\d+\] )?STEP \d/.test(line)) onProgress(`  ${line.slice(0, 110)}`);
    },
  );

  onProgress('Writing the image archive');
  const unfinished = join(folder, `unfinished-${key}.tar`);
  await buildah(['push', '--quiet', reference, `docker-archive:${unfinished}:${reference}`]);
  const digest = `sha256:${(await buildah(['images', '--quiet', '--no-trunc', reference])).trim().replace('sha256:', '')}`;
  const built = { archive: join(folder, `${key}.tar`), reference, digest };
  await rename(unfinished, built.archive);
  await writeFile(join(folder, `${key}.json`), JSON.stringify(built));
  await removeOldImages(buildah, folder);
  return built;
}

async function readBuilt(folder: string, key: string): Promise<BuiltImage | undefined> {
  try {
    const built: BuiltImage = JSON.parse(await readFile(join(folder, `${key}.json`), 'utf8'));
    await stat(built.archive);
    return built;
  } catch {
    return undefined; // not built yet, or a file was removed by hand: build
  }
}

/** What a killed build has left: working containers and half an archive. Called under the lock, so none is in use. */
async function removeLeftovers(buildah: Buildah, folder: string): Promise<void> {
  await buildah(['rm', '--all']);
  for (const name of await readdir(folder)) {
    if (name.startsWith('unfinished-') || name.startsWith('base-')) await rm(join(folder, name));
  }
}

async function removeOldImages(buildah: Buildah, folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{16}\.json$/.test(name));
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  const old = dated.sort((a, b) => b.at - a.at).slice(imagesKept);
  for (const { name } of old) {
    const built: BuiltImage = JSON.parse(await readFile(join(folder, name), 'utf8'));
    await rm(join(folder, name));
    await rm(built.archive, { force: true });
    await buildah(['rmi', built.reference]).catch(() => undefined); // gone already: nothing to remove
  }
}
