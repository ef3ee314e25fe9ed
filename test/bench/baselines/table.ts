import type { BaselineTimes } from './measure.js';

/** What a run of all sizes was made on. */
export interface BaselineRun {
  readonly times: readonly BaselineTimes[];
  readonly machine: string;
  readonly commit: string;
  /** Of the processor time that was wanted, 0 to 1. */
  readonly withheld: number;
}

/** The section of the page. */
export function baselineSection({ times, machine, commit, withheld }: BaselineRun): string {
  return `## Baselines

A pool with 64 cameras a recorder, one of its roles with a standby, on a real API server without an operator beside it.
*Backup* reads the pool by uncached lists and writes Secrets. *Restore* is the whole command into an empty namespace: the
plan, a rehearsal of every write by the API server, then the writes. *Compare* is the same command again, which finds
nothing to do. One run each, at commit \`${commit}\` on ${machine}; its host withheld ${percent(withheld)} of the processor
time that was wanted.

| cameras | servers | JSON | kept | Secrets | backup | restore | compare | peak memory |
|---|---|---|---|---|---|---|---|---|
${times.map(row).join('\n')}
`;
}

function row(one: BaselineTimes): string {
  const cells = [
    one.cameras.toLocaleString('en'),
    one.servers.toLocaleString('en'),
    size(one.plainBytes),
    size(one.keptBytes),
    String(one.parts),
    ...[one.backupSeconds, one.restoreSeconds, one.comparedSeconds].map((seconds) => `${seconds.toFixed(1)} s`),
    `${one.peakMebibytes} MiB`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
