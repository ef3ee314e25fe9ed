// Plain JavaScript, because it runs before anything is installed: makes `npm run …` work on a fresh clone.
// Installs the locked dependencies when node_modules is missing or older than the lock file.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, symlinkSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';
/** Three times what the slowest registry needed; npm has no limit of its own for a whole installation. */
const limitMinutes = 8;

const fresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;
if (!fresh && !(install() || install())) process.exit(1);

/** True when all packages are there. Says what went wrong when not. */
function install() {
  console.log('Installing the locked npm packages (npm ci) ...');
  // No package may run code of its own while it is installed: nothing here needs it, and a script that waits for ever
  // (one that called npm again did) stops everything. The lock file decides the versions, so a cached list of them will do.
  // Warnings are left out: on an older Node npm names every package that wants a newer one, which the lock file brings.
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = spawnSync('npm', ['ci', ...options], {
    stdio: 'inherit',
    timeout: limitMinutes * 60_000,
    killSignal: 'SIGKILL',
  });
  if (status === 0) {
    linkNode();
    return true;
  }
  const late = error?.code === 'ETIMEDOUT';
  const reason = late ? `not done after ${limitMinutes} minutes` : (error?.message ?? `it ended with ${status}`);
  console.error(`npm ci failed: ${reason}. Is the npm registry reachable? Nothing was started.`);
  return false;
}

/**
 * npm scripts find node in node_modules/.bin first. npm 9 takes the link away again together with the packages of the
 * platforms that this is not, because all of them bring a program of that name.
 */
function linkNode() {
  const link = 'node_modules/.bin/node';
  const program = `node-${process.platform}-${process.arch}/bin/node`;
  if (!existsSync(link) && existsSync(`node_modules/${program}`)) symlinkSync(`../${program}`, link);
}
