import { nodesReady } from '../../scenario/nodes-ready.js';
import type { StallWatch } from '../run/stalls.js';
import type { Act } from './act.js';
import { type NodeCase, type NodeResult, nameOf } from './case.js';
import { isExclusive } from './draw.js';
import { keepFindings } from './findings.js';
import type { NodesGround } from './ground.js';
import { lawViolations } from './laws.js';
import { measureAct } from './measure-act.js';
import { Play } from './play.js';
import type { Plot } from './plot.js';
import { restViolations } from './repair.js';

/** Recorders renew every second and a half and may be silent for five: a machine that stands still so long is felt. */
const FELT_SECONDS = 1;

/** What all cases of a run share. */
export interface Stage {
  readonly ground: NodesGround;
  readonly plots: readonly Plot[];
  readonly stalls: StallWatch;
  /** Ended when a system can't be built anew: the run can't go on then. */
  readonly ended: AbortController;
}

/**
 * Plays one case and judges each system that it concerns. Never rejects. Afterwards every system is whole and at rest:
 * one that does not come to it is a violation, and is built anew.
 */
export async function runCase(one: NodeCase, stage: Stage): Promise<NodeResult[]> {
  const start = performance.now();
  const play = new Play(one, stage.plots, stage.ground);
  await play.play();
  if (isExclusive(one)) await groundReady(stage.ground, play.acts);
  const results = await Promise.all(play.acts.map((act) => judged(one, act, start, stage)));
  return results.filter(({ reached, violations }) => reached || violations.length > 0);
}

async function groundReady({ api, operator }: NodesGround, acts: readonly Act[]): Promise<void> {
  try {
    await nodesReady(api);
    await operator.ready();
  } catch (error) {
    acts[0]?.failures.push(error instanceof Error ? error.message : String(error));
  }
}

async function judged(one: NodeCase, act: Act, start: number, { stalls, ended }: Stage): Promise<NodeResult> {
  const unrest = await restViolations(act);
  const footage = await measureAct(act);
  const laws = lawViolations(act.evidence());
  const violations = [...act.failures, ...unrest, ...act.moveViolations(), ...laws, ...footage.violations];
  const notes = violations.length > 0 ? [...act.told(), await keepFindings(act, nameOf(one))] : [];
  const system = act.plot.namespace;
  const still = stalls.stalledSince(start) || footage.stillSeconds > FELT_SECONDS;
  const disturbed = violations.length > 0 && still;
  if (unrest.length > 0) notes.push(await builtAnew(act, ended));
  const last = act.hits.at(-1);
  return {
    name: nameOf(one),
    system,
    fault: last?.fault ?? one.fault,
    moment: last?.moment ?? 'at-rest',
    reached: last !== undefined,
    disturbed,
    violations,
    notes,
    longestGapSeconds: footage.longestGapSeconds,
    seconds: (performance.now() - start) / 1000,
  };
}

async function builtAnew({ plot }: Act, ended: AbortController): Promise<string> {
  const old = plot.namespace;
  try {
    await plot.rebuild();
    return `${old} did not come to rest and was built anew as ${plot.namespace}`;
  } catch (error) {
    ended.abort();
    return `${old} did not come to rest and could not be built anew, so the run ends: ${String(error)}`;
  }
}
