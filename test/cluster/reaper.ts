/**
 * The process that takes a cluster down when its owner has ended without doing so: by Ctrl-C, a crash, or kill -9.
 * Its standard input is a pipe from the owner, which the kernel closes with the owner, however it ends.
 * Usage: reaper.ts CLUSTER_NAME
 */
import { createInterface } from 'node:readline';
import { keepWord } from './guard.js';
import { tearDown } from './teardown.js';

const name = process.argv[2];
if (!name) throw new Error('Usage: reaper.ts CLUSTER_NAME');
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);

let kept = false;
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (line === keepWord) kept = true;
});
input.on('close', async () => {
  if (kept) return;
  await tearDown(name);
});
