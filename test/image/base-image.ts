import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Buildah, stream } from './buildah.js';
import { contentKey } from './content-key.js';
import { suite } from './host-sources.js';

/** usr-is-merged in place of usrmerge, which would bring all of Perl. */
const packages = ['apt', 'usr-is-merged'];
const leftOut = ['/usr/share/man/*', '/usr/share/info/*', '/usr/share/locale/*', '/usr/share/doc/*'];
/** What the official Debian image has; the machine's own mirrors must not get into the image. */
const sources = `deb http://deb.debian.org/debian ${suite} main\\ndeb http://deb.debian.org/debian-security ${suite}-security main\\n`;

/**
 * A small Debian as an image in buildah's storage, in place of the one that a registry would give; made once.
 * Returns its name, for the Dockerfile's BASE argument.
 */
export async function ensureBaseImage(
  buildah: Buildah,
  folder: string,
  aptSources: readonly string[],
  onProgress: (line: string) => void,
): Promise<string> {
  const key = await contentKey(folder, [], [suite, ...packages, ...leftOut, sources]);
  const name = `localhost/understudy-base:${suite}-${key}`;
  if ((await buildah(['images', '--quiet', '--filter', `reference=${name}`])).trim() !== '') return name;

  onProgress(`Making the base image from Debian packages (${suite}, once, about a minute)`);
  const archive = join(folder, `base-${key}.tar`);
  await stream('mmdebstrap', [
    '--quiet',
    '--mode=root',
    '--variant=essential',
    `--include=${packages.join(',')}`,
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    '--dpkgopt=path-include=/usr/share/doc/*/copyright',
    `--customize-hook=printf '${sources}' > "$1/etc/apt/sources.list"`,
    `--customize-hook=rm -rf "$1"/etc/apt/sources.list.d/* "$1"/var/lib/apt/lists/* "$1"/var/log/apt`,
    suite,
    archive,
    ...aptSources,
  ]);
  const container = (await buildah(['from', 'scratch'])).trim();
  await buildah(['add', '--quiet', container, archive, '/']);
  await buildah(['commit', '--quiet', '--rm', container, name]);
  await rm(archive);
  return name;
}
