import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withFileLock } from './file-lock.js';
import { cacheFolder } from './paths.js';
import { tryRun } from './run-command.js';
import { linkerFlags, type Tool, type ToolName, tellsVersion, tools } from './tool-catalog.js';

const toolsFolder = fileURLToPath(new URL('tools/', import.meta.url));

export type Progress = (line: string) => void;

/** Where each wanted binary is. */
export type Binaries = (name: ToolName) => string;

/**
 * Gives the paths of the wanted binaries, building those that the cache lacks. Two callers at once are safe: the second
 * waits for the first and then finds what it built. Every binary is asked for its version, each time.
 * Throws when Go is missing, a build fails, or a binary is not the version that its go.mod pins.
 */
export async function ensureBinaries(names: readonly ToolName[], onProgress: Progress): Promise<Binaries> {
  const wanted = await Promise.all(
    names.map(async (name) => ({ tool: tools[name], path: await cachedPath(tools[name]) })),
  );
  const present = await Promise.all(wanted.map(({ tool, path }) => isBuilt(tool, path)));
  const missing = wanted.filter((_, index) => !present[index]);
  if (missing.length > 0) await buildAll(missing, onProgress);
  const paths = new Map(wanted.map(({ tool, path }) => [tool.name, path]));
  return (name) => {
    const path = paths.get(name);
    if (!path) throw new Error(`${name} was not asked for; the list given to ensureBinaries lacks it.`);
    return path;
  };
}

/** The name in the cache holds the version and a digest of go.mod and go.sum: another pinned dependency is another binary. */
async function cachedPath(tool: Tool): Promise<string> {
  const digest = createHash('sha256');
  const sources = tool.module === 'pause' ? ['go.mod', 'main.go'] : ['go.mod', 'go.sum'];
  for (const file of sources) digest.update(await readFile(join(toolsFolder, tool.module, file)));
  digest.update(linkerFlags(tool));
  const folder = `${tool.name}-${tool.version}-${process.arch}-${digest.digest('hex').slice(0, 12)}`;
  return join(cacheFolder(), 'tools', folder, tool.name);
}

const stampOf = (path: string) => `${path}.built`;

async function isBuilt(tool: Tool, path: string): Promise<boolean> {
  const stamp = await readFile(stampOf(path), 'utf8').catch(() => undefined);
  if (stamp !== tool.version) return false;
  if (!tool.versionArguments)
    return access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
  return tellsVersion((await askVersion(tool, path)) ?? '', tool.version);
}

function askVersion(tool: Tool, path: string): Promise<string | undefined> {
  return tryRun(path, tool.versionArguments ?? [], { timeoutMs: 20_000 });
}

async function buildAll(missing: readonly { tool: Tool; path: string }[], onProgress: Progress): Promise<void> {
  await requireGo();
  const lock = join(cacheFolder(), 'tools', 'build.lock');
  const build = async () => {
    let number = 0;
    for (const { tool, path } of missing) {
      number += 1;
      if (await isBuilt(tool, path)) continue; // built by the one we waited for
      await buildOne(tool, path, `${tool.name} ${tool.version} (${number} of ${missing.length})`, onProgress);
    }
  };
  await withFileLock(lock, build, () => onProgress('Waiting for another run, which is building the binaries ...'));
}

async function requireGo(): Promise<void> {
  const answer = await tryRun('go', ['version'], { timeoutMs: 20_000 });
  if (answer === undefined) {
    throw new Error(
      'The command "go" is missing, and the Kubernetes binaries are built from their Go modules. ' +
        'Install Go 1.26 or newer from https://go.dev/dl/ and put it on the PATH.',
    );
  }
}

async function buildOne(tool: Tool, path: string, title: string, onProgress: Progress): Promise<void> {
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  onProgress(`Building ${title} ... (once; it is kept in ${cacheFolder()})`);
  const still = setInterval(() => onProgress(`  still building ${title}: ${seconds()} s`), 15_000);
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    await mkdir(join(path, '..'), { recursive: true });
    await rm(stampOf(path), { force: true });
    await goBuild(tool, unfinished, title);
    const answer = tool.versionArguments ? ((await askVersion(tool, unfinished)) ?? '') : tool.version;
    if (!tellsVersion(answer, tool.version)) {
      throw new Error(`${tool.name} was built but says "${answer.trim()}" where ${tool.version} was expected.`);
    }
    await rename(unfinished, path);
    await writeFile(stampOf(path), tool.version);
  } finally {
    clearInterval(still);
    await rm(unfinished, { force: true });
  }
  onProgress(`Built ${title} in ${seconds()} s`);
}

function goBuild(tool: Tool, output: string, title: string): Promise<void> {
  const args = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', linkerFlags(tool), '-o', output];
  return new Promise((resolve, reject) => {
    // The compiler must not outlive a run that is killed: setpriv has the kernel kill it together with its parent.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'go', ...args, tool.package], {
      cwd: join(toolsFolder, tool.module),
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      reject(new Error(`Building ${title} failed. Is Go 1.26 installed and the Go module proxy reachable?\n${said}`));
    });
  });
}
