import { access, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tryRun } from '../cluster/run-command.js';

/** The Debian release that the image is built on, as the Dockerfile's default base is. */
export const suite = 'bookworm';

const defaultSources = [
  `deb http://deb.debian.org/debian ${suite} main`,
  `deb http://deb.debian.org/debian ${suite}-updates main`,
  `deb http://deb.debian.org/debian-security ${suite}-security main`,
];

/** Where the build container sees what `writeHostSources` has written. */
const inContainer = '/run/build-host';
const npmSettings = ['registry', 'proxy', 'https-proxy', 'noproxy'] as const;

/**
 * The package sources as this machine reaches them: its mirrors of Debian, its proxies, its npm registry and its
 * certificate bundle. They are bind-mounted while the build runs and are no part of the image.
 */
export interface HostSources {
  /** One-line entries for apt: the machine's own if it runs the same release, Debian's own otherwise. */
  readonly aptSources: readonly string[];
  /** `--volume` values for buildah. */
  readonly volumes: readonly string[];
}

/** Writes the settings into a folder, to be mounted from there. */
export async function writeHostSources(folder: string): Promise<HostSources> {
  await mkdir(join(folder, 'empty'), { recursive: true });
  const authority = await copyAuthorities(folder);
  const aptSources = await debianSources();
  await writeFile(join(folder, 'sources.list'), `${aptSources.join('\n')}\n`);
  await writeFile(join(folder, 'apt.conf'), await aptSettings(authority));
  await writeFile(join(folder, 'npmrc'), await npmConfiguration(authority));
  const mounts = [
    [join(folder, 'sources.list'), '/etc/apt/sources.list'],
    [join(folder, 'empty'), '/etc/apt/sources.list.d'],
    [join(folder, 'apt.conf'), '/etc/apt/apt.conf.d/99build-host'],
    [join(folder, 'npmrc'), '/root/.npmrc'],
    [folder, inContainer],
  ];
  return { aptSources, volumes: mounts.map(([host, container]) => `${host}:${container}:ro`) };
}

async function debianSources(): Promise<readonly string[]> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = (await tryRun('apt-get', ['indextargets', '--format', format, 'Identifier: Packages'])) ?? '';
  const releases = [suite, `${suite}-updates`, `${suite}-security`];
  const own = targets
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, release = '', component]) => releases.includes(release) && component === 'main')
    .map(([uri, release]) => `deb ${uri} ${release} main`);
  return own.some((line) => line.includes(` ${suite} `)) ? [...new Set(own)] : defaultSources;
}

/** Copied, since a file that is replaced on the host (as updates do) would leave the mount with the old one. */
async function copyAuthorities(folder: string): Promise<string | undefined> {
  const bundle = process.env.NODE_EXTRA_CA_CERTS || '/etc/ssl/certs/ca-certificates.crt';
  try {
    await access(bundle);
  } catch {
    return undefined; // npm's and apt's own certificates then
  }
  await copyFile(bundle, join(folder, 'ca.crt'));
  return `${inContainer}/ca.crt`;
}

async function aptSettings(authority: string | undefined): Promise<string> {
  const dump = (await tryRun('apt-config', ['dump'])) ?? '';
  const proxies = dump.split('\n').filter((line) => /^Acquire::https?::Proxy\b/.test(line) && !line.endsWith(' "";'));
  return [...proxies, ...(authority ? [`Acquire::https::CAInfo "${authority}";`] : []), ''].join('\n');
}

async function npmConfiguration(authority: string | undefined): Promise<string> {
  const answers = await Promise.all(npmSettings.map((name) => run('npm', ['config', 'get', name])));
  const lines = npmSettings
    .map((name, index) => ({ name, value: answers[index]?.trim() ?? '' }))
    .filter(({ value }) => value !== '' && value !== 'null' && value !== 'undefined')
    .map(({ name, value }) => `${name}=${value}`);
  return [...lines, ...(authority ? [`cafile=${authority}`] : []), ''].join('\n');
}
