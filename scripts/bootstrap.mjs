// Plain JavaScript, because it runs before anything is installed: makes `npm run …` work on a fresh clone.
// Installs the locked dependencies when node_modules is missing or older than the lock file.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';
const fresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;
if (!fresh) {
  console.log('Installing the locked npm packages (npm ci) ...');
  // Warnings are left out: on an older Node npm names every package that wants a newer one, which the lock file brings.
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: 'inherit',
  });
  if (status !== 0) {
    console.error(
      `npm ci failed${error ? `: ${error.message}` : ''}. Is the npm registry reachable? Nothing was started.`,
    );
    process.exit(1);
  }
}
