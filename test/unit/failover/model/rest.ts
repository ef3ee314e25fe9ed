import { camerasOfRole, substituteShare } from '../../../../src/failover/cameras.js';
import { heldRoles, holderOf } from '../../../../src/failover/roles.js';
import { chooseStandby } from '../../../../src/failover/standby/standby-choice.js';
import type { CameraView, PoolInput } from '../../../../src/failover/types.js';
import { mergePatch } from '../../../../src/operator/index.js';
import { able, inTouch, orderOf } from './recorder.js';
import { poolInput } from './replica.js';
import { violationOf } from './safety.js';
import { viewOfCamera } from './seen.js';
import { ordinarySteps, type Step, take } from './steps.js';
import { nextMoment, observed, passes } from './time.js';
import { recordersOf } from './truth.js';
import type { World } from './world.js';

/** A fault, a takeover, its proof, its baseline, a second standby and a repair take less than this. */
const MOST_ROUNDS = 250;

/** Broken on the way to rest, or found there. */
export class Violation extends Error {}

/** Takes the step and judges it. */
export function judged(world: World, step: Step): World | undefined {
  const after = take(world, step);
  const broken = after && violationOf({ before: world, after });
  if (broken !== undefined) throw new Violation(`${step.name}: ${broken}`);
  return after;
}

/** Everybody who has something to do does it once. The same world when nobody has. */
export function round(world: World): World {
  return ordinarySteps(world).reduce((now, step) => judged(now, step) ?? now, world);
}

/** The faults have stopped: what is broken stays broken, but everything that can answer does, in good time. */
export function calm(world: World): World {
  const { stale: _gone, ...rest } = world;
  const { view, ...leader } = world.leader;
  if (world.apiAnswers && world.stale === undefined && view === undefined) return world;
  return observed({ ...rest, leader, apiAnswers: true }, world);
}

/** Rounds until nothing changes any more, not by time either. */
export function settled(world: World): World {
  let now = calm(world);
  for (let count = 0; count < MOST_ROUNDS; count += 1) {
    const next = round(now);
    if (next !== now) {
      now = next;
      continue;
    }
    const later = nextMoment(now);
    if (later === undefined) return now;
    now = observed(later, now);
  }
  const { conditions: _conditions, ...status } = now.objects.pools.pool?.status ?? {};
  throw new Violation(`it does not come to rest: ${JSON.stringify(status)}`);
}

function camerasIn(world: World): CameraView[] {
  return Object.values(world.objects.cameras).map((camera) => {
    const { metadata, spec } = viewOfCamera(camera);
    return { name: metadata.name, spec };
  });
}

/** Every transferable camera whose role has a working holder is recorded by it, and by nobody else who is heard. */
function rolesAreRecorded(world: World, input: PoolInput): string | undefined {
  for (const role of heldRoles(input)) {
    const holder = holderOf(input, role);
    const recorder = holder && world.recorders[holder.name];
    const cameras = camerasOfRole(camerasIn(world), role.name);
    const away = role.holder !== role.name;
    const asked = away
      ? substituteShare(cameras, holder?.spec.capacity?.cameras).taken
      : cameras.filter(({ spec }) => spec.source.type === 'IP');
    if (recorder !== undefined && able(recorder) && inTouch(world, recorder)) {
      const missing = asked.find(({ name }) => !recorder.running.includes(name));
      if (missing !== undefined) return `${recorder.server} holds ${role.name} and does not record ${missing.name}`;
    } else if (cameras.length > 0 && !input.spec.paused) {
      const mayMove = holder !== undefined || away;
      const choice = chooseStandby(input, role, { cameras: asked.length });
      const free = choice.candidates.find(({ server, reason }) => reason === reasonFits && server.name !== role.holder);
      if (mayMove && free !== undefined) return `nobody records ${role.name}, and ${free.server.name} could`;
    }
  }
  return undefined;
}

const reasonFits = 'Fits';

function nobodyRecordsForNothing(world: World): string | undefined {
  for (const camera of Object.keys(world.objects.cameras)) {
    const heard = recordersOf(world, camera).filter((name) => {
      const recorder = world.recorders[name];
      return recorder !== undefined && inTouch(world, recorder);
    });
    if (heard.length > 1) return `${camera} is recorded by ${heard.join(' and ')} for ever`;
  }
  return undefined;
}

function queueIsEmpty(_world: World, input: PoolInput): string | undefined {
  if (input.status.current !== undefined) return `the failover of ${input.status.current.server} never ends`;
  const waiting = input.status.queue?.find(({ waitingFor }) => waitingFor === undefined);
  if (waiting !== undefined) return `${waiting.server} waits and nobody says for what`;
  const held = input.status.queue?.find(({ waitingFor }) => waitingFor?.startsWith('FailoverRunning:'));
  return held && `${held.server} waits for a failover, and none runs`;
}

/** A camera that is not recorded is not shown as recorded; one that is by its holder, is. */
function camerasTellTheTruth(world: World): string | undefined {
  for (const [name, { status, spec }] of Object.entries(world.objects.cameras)) {
    const shown = status?.conditions?.find(({ type }) => type === 'Recording');
    const by = recordersOf(world, name);
    if (shown === undefined) return `${name} has no condition Recording`;
    if (shown.status === 'True' && by.length === 0) return `${name} is shown as recorded, and is not`;
    const bound = status?.boundTo?.server;
    const holder = bound === undefined ? undefined : world.recorders[bound];
    const heard = holder !== undefined && by.includes(holder.server) && inTouch(world, holder);
    if (heard && orderOf(holder).role === spec.serverRef.name && shown.status !== 'True')
      return `${name} is recorded by ${bound}, and shown as ${shown.status} (${shown.reason})`;
  }
  return undefined;
}

const atRest: readonly ((world: World, input: PoolInput) => string | undefined)[] = [rolesAreRecorded, queueIsEmpty];

/** Law 8: hours pass, everybody looks twice, and nothing is written but heartbeats. */
function quiet(world: World): string | undefined {
  let now = world;
  for (let pass = 0; pass < 2; pass += 1) {
    const later = observed(passes(now, 3_600_000), now);
    now = round(later);
    const wrote = (['pools', 'servers', 'cameras', 'reports', 'backups', 'pods'] as const).find(
      (kind) => now.objects[kind] !== later.objects[kind],
    );
    if (wrote !== undefined) {
      const change = mergePatch(later.objects[wrote], now.objects[wrote]);
      return `nothing has happened, and ${wrote} were written: ${JSON.stringify(change)}`;
    }
  }
  return undefined;
}

/** What is wrong with a world at rest, in words. */
export function wrongAtRest(world: World): string | undefined {
  for (const pool of Object.keys(world.objects.pools)) {
    const input = poolInput(world, pool);
    if (input === undefined) continue;
    for (const holds of atRest) {
      const wrong = holds(world, { ...input, cameras: camerasIn(world) });
      if (wrong !== undefined) return wrong;
    }
  }
  return nobodyRecordsForNothing(world) ?? camerasTellTheTruth(world) ?? quiet(world);
}
