import { machineSize } from '../../scenario/machine.js';
import type { ChaosRequest } from '../run/arguments.js';
import type { NodesPart } from '../run/results.js';
import { StallWatch } from '../run/stalls.js';
import { type NodeCase, type NodeResult, nameOf, parseName } from './case.js';
import { fits, isExclusive, kindsOf, layoutOf, namesBeginWith } from './draw.js';
import { type NodesGround, openNodesGround, whyNoNodes } from './ground.js';
import { type Round, roundsOf } from './plan.js';
import { Plot } from './plot.js';
import { runCase, type Stage } from './run-case.js';
import { sentenceOf, tallyOf } from './tally.js';
import { tellResult } from './tell.js';

/** What a run of this tier came to; undefined where there can be no real nodes. */
export async function runNodesTier(request: ChaosRequest, stop: () => AbortSignal): Promise<NodesPart | undefined> {
  const obstacle = whyNoNodes();
  if (obstacle !== undefined) {
    console.error(obstacle);
    return undefined;
  }
  const rounds = roundsFor(request);
  const ground = await openNodesGround((line) => console.error(`  ${line}`));
  try {
    return await runOn(ground, rounds, request, stop);
  } catch (error) {
    // Told before the cluster goes: that it could not be stopped must not hide why it was to be.
    console.error(error);
    throw error;
  } finally {
    await ground.close();
  }
}

async function runOn(
  ground: NodesGround,
  rounds: Iterable<Round>,
  { seed, systems }: ChaosRequest,
  stop: () => AbortSignal,
): Promise<NodesPart> {
  const stalls = new StallWatch();
  const startMs = Date.now();
  const results: NodeResult[] = [];
  const ended = new AbortController();
  let injections = 0;
  try {
    const plots = await Promise.all(Array.from({ length: systems }, (_, number) => Plot.open(ground, number)));
    console.error(`  ${systems} systems are at work on ${ground.cluster.nodes.length} nodes`);
    const play = async (one: NodeCase): Promise<void> => {
      injections += 1;
      for (const result of await runCase(one, { ground, plots, stalls, ended } satisfies Stage)) {
        results.push(result);
        tellResult(result, { count: results.length, systems });
      }
    };
    const over = AbortSignal.any([stop(), ended.signal]);
    for (const { sideBySide, together } of rounds) {
      if (over.aborted) break;
      await Promise.all(sideBySide.map(play));
      for (const one of together) if (!over.aborted) await play(one);
    }
  } finally {
    stalls.close();
  }
  const minutes = Math.round((Date.now() - startMs) / 60_000);
  const stolenPercent = Math.round(100 * ground.processor.stolenShare(startMs, Date.now()));
  const size = { systems, nodes: ground.cluster.nodes.length, injections, machine: machineSize(), stolenPercent };
  const lines = tallyOf(results);
  for (const line of lines) console.log(sentenceOf(line));
  return { seed, minutes, ...size, lines };
}

/** The one case that was named, or the rounds of the seed. Throws for a name that means nothing. */
function roundsFor({ only, seed, systems }: ChaosRequest): Iterable<Round> {
  const layouts = Array.from({ length: systems }, (_, system) => layoutOf(system));
  const exact = only === undefined ? undefined : parseName(only);
  if (exact === undefined) {
    if (kindsOf(only).length === 0)
      throw new Error(`--only ${only}: there is no such case; names are ${namesBeginWith}`);
    return roundsOf(seed, layouts, only);
  }
  const layout = layouts[exact.number % systems];
  if (layout === undefined || !fits(exact, layout))
    throw new Error(
      `--only ${nameOf(exact)}: with ${systems} systems it can't be played; give the --systems of its run`,
    );
  return [isExclusive(exact) ? { sideBySide: [], together: [exact] } : { sideBySide: [exact], together: [] }];
}
