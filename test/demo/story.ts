import { setTimeout as pause } from 'node:timers/promises';
import { isTrue } from '../scenario/summary.js';
import { nodeOf } from '../scenario/system.js';
import type { Screen } from './screen.js';
import { NAMESPACE, POOL, STABLE_SECONDS, STORAGE_GRACE_SECONDS, type Stage, TIMEOUT_SECONDS } from './setup.js';
import { viewOf } from './view.js';

/** What was done to the system, and when (wall clock, milliseconds). */
export interface Played {
  readonly first: string;
  readonly second: string;
  readonly recordingSinceMs: number;
  readonly powerCutMs: number;
  readonly disksDeadMs: number;
  /** What `kubectl get` showed in the middle of it. */
  readonly kubectlMeanwhile: string;
}

const CALM_SECONDS = 10;
const AFTERWARDS_SECONDS = 4;
const HANG_MS = 120_000;

export function introduce(screen: Screen): void {
  screen.say('Understudy keeps surveillance cameras recording when a recorder breaks. Watch it happen.');
  screen.plain(
    [
      '  Two recorders record four cameras each. Two standbys wait. Each has a node and a disk of its own.',
      '  First one recorder loses its power. While a standby takes over, all disks of the other recorder die too.',
      '  The second has to queue: one takeover at a time, each with a new baseline (a backup of the whole set-up).',
      '  In the end we count, in the recorded files themselves, what each camera has missed.',
    ].join('\n'),
  );
  screen.say('Setting up (real Kubernetes nodes, real disks, real video; the first time takes minutes):');
}

/** Plays the two faults and the repair, and shows what happens meanwhile. */
export async function play(stage: Stage, screen: Screen): Promise<Played> {
  const { system, operator } = stage;
  const { chronicle } = system;
  await operator.ready();
  await system.allAtWork();
  await chronicle.until('a standby would take over', () => isTrue(pool(stage), 'StandbyAvailable'), HANG_MS);
  const recordingSinceMs = Date.now();
  chronicle.onChange(() => screen.show(viewOf(chronicle)));
  screen.say(`All is well: eight cameras are recorded. We let them run for ${CALM_SECONDS} s.`);
  screen.show(viewOf(chronicle));
  await pause(CALM_SECONDS * 1000);

  const [first, second] = await victims(stage);
  const powerCutMs = await cutPower(stage, screen, first);
  const disksDeadMs = await killDisks(stage, screen, first, second);
  const kubectlMeanwhile = await kubectlOnce(stage, second);
  await takenOver(stage, screen, first, second);
  await pause(AFTERWARDS_SECONDS * 1000);
  await repair(stage, screen, first);
  screen.freeze();
  return { first, second, recordingSinceMs, powerCutMs, disksDeadMs, kubectlMeanwhile };
}

function pool(stage: Stage) {
  return stage.system.chronicle.find('pools', POOL);
}

/** The recorder that shares its node with the operator's leader keeps its power: a leader's death is another story. */
async function victims({ operator, system }: Stage): Promise<[string, string]> {
  const leaderNode = await operator.leaderNode();
  const recorders = system.plan.servers.filter((server) => server.type === 'Standard');
  const [first, second] = recorders.sort((a, b) => Number(a.node === leaderNode) - Number(b.node === leaderNode));
  if (!first || !second) throw new Error('the demo needs two recorders');
  return [first.name, second.name];
}

async function cutPower(stage: Stage, screen: Screen, server: string): Promise<number> {
  const node = nodeOf(stage.cluster, nodeNameOf(stage, server));
  screen.say(
    `POWER CUT: the node of ${server} goes dark, and what its disk had not written yet is lost. ` +
      `After ${TIMEOUT_SECONDS} s of silence it counts as broken. (The leading operator replica runs on another node; ` +
      'on this one the other replica would have to take the lead first, which takes about 15 s more.)',
  );
  screen.startClock('the power cut');
  const atMs = Date.now();
  await node.powerCut();
  return atMs;
}

function nodeNameOf({ system }: Stage, server: string): string {
  const found = system.plan.servers.find((each) => each.name === server);
  if (!found) throw new Error(`there is no server '${server}'`);
  return found.node;
}

async function killDisks(stage: Stage, screen: Screen, first: string, second: string): Promise<number> {
  const { chronicle } = stage.system;
  await chronicle.until(
    `the failover of ${first} begins`,
    () => pool(stage)?.status?.current?.server === first,
    HANG_MS,
  );
  const atMs = Date.now();
  await Promise.all(stage.system.disksOf(second).map(({ disk }) => disk.shutdown()));
  screen.say(
    `DISKS DEAD: while a standby takes over from ${first}, every disk of ${second} answers with errors only. ` +
      `Its pod still runs, so Kubernetes sees nothing. It counts as broken ${STORAGE_GRACE_SECONDS} s after that is noticed ` +
      '(a setting), and queues.',
  );
  return atMs;
}

/** Looks as an SRE would who was woken in the middle of it: as soon as the second has been judged broken. */
async function kubectlOnce(stage: Stage, second: string): Promise<string> {
  const { chronicle } = stage.system;
  const isNoticed = () => {
    const { queue, current, history } = pool(stage)?.status ?? {};
    return (
      queue?.some(({ server }) => server === second) ||
      current?.server === second ||
      history?.some(({ from }) => from === second)
    );
  };
  await chronicle.until(`${second} is judged broken`, isNoticed, HANG_MS);
  return kubectlView(stage);
}

async function takenOver(stage: Stage, screen: Screen, first: string, second: string): Promise<void> {
  const { chronicle } = stage.system;
  const done = (server: string) => pool(stage)?.status?.history?.some((entry) => entry.from === server);
  await chronicle.until(`${first} has been replaced`, () => done(first), HANG_MS);
  await chronicle.until(`${second} has been replaced`, () => done(second), HANG_MS);
  const recorded = () => chronicle.all('cameras').every((camera) => isTrue(camera, 'Recording'));
  await chronicle.until('every camera is recorded again', recorded, HANG_MS);
  screen.say('Both roles have moved: all eight cameras are recorded again, and each takeover has its baseline.');
}

async function repair(stage: Stage, screen: Screen, server: string): Promise<void> {
  screen.say(
    `REPAIR: the node of ${server} gets its power back. It does not take its cameras away from the substitute: ` +
      `after ${STABLE_SECONDS} s of good health (a setting; small for this demo) it becomes a new standby.`,
  );
  await nodeOf(stage.cluster, nodeNameOf(stage, server)).powerOn();
  const stands = () => stage.system.chronicle.find('servers', server)?.status?.state === 'Standby';
  await stage.system.chronicle.until(`${server} stands by`, stands, HANG_MS);
}

/** What `kubectl get` shows, as an SRE would look. */
export function kubectlView({ cluster }: Stage): Promise<string> {
  return cluster.kubectl(['--namespace', NAMESPACE, 'get', 'rsrv,fop,cam']);
}
