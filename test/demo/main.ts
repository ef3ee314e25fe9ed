import { parseArgs } from 'node:util';
import { ensureBinaries } from '../cluster/binaries.js';
import { OPERATOR_NAMESPACE } from '../scenario/operator.js';
import { starvationOf, told } from '../scenario/starvation.js';
import { type Ending, openEnding } from './ending.js';
import { type Promised, promisesOf } from './outcome.js';
import { report } from './report.js';
import { restoreElsewhere } from './restore.js';
import { openScreen, type Screen } from './screen.js';
import { NAMESPACE, type Stage, setUp } from './setup.js';
import { introduce, play } from './story.js';

const usage = `npm run demo [-- --keep] [--restore]

Brings up a real Kubernetes with four nodes on this machine, two recorders and two standbys with real video, breaks both
recorders, shows what happens, and measures the gaps in the recorded files.

  --keep      leaves the cluster up afterwards and says how to look around
  --restore   restores the last baseline into an empty second control plane, and compares who records what`;

const { values } = parseArgs({
  options: { keep: { type: 'boolean' }, restore: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  console.log(usage);
} else {
  const screen = openScreen(process.stdout);
  const ending = openEnding((text) => screen.note(text));
  process.exitCode = await demo(screen, ending, values);
}

interface Wishes {
  readonly keep?: boolean | undefined;
  readonly restore?: boolean | undefined;
}

async function demo(screen: Screen, ending: Ending, { keep, restore }: Wishes): Promise<number> {
  const started = performance.now();
  try {
    introduce(screen);
    const stage = await setUp(screen.note, ending.add);
    const played = await play(stage, screen);
    const outcome = await report(stage, played, screen);
    const promised = promisesOf(stage, played, outcome);
    if (restore === true) promised.push(await restoreElsewhere(stage, screen, ending.add));
    tell(screen, promised, (performance.now() - started) / 1000);
    if (promised.some(({ kept }) => !kept)) tellStarvation(screen, stage);
    if (keep === true) await keepUp(stage, screen, ending);
    else await ending.run();
    return promised.every(({ kept }) => kept) ? 0 : 1;
  } catch (error) {
    screen.freeze();
    if (ending.interrupted()) return 130;
    screen.say('The demo could not be finished.');
    console.error(error instanceof Error ? error.message : error);
    await ending.run();
    return 1;
  }
}

function tell(screen: Screen, promised: readonly Promised[], seconds: number): void {
  screen.say('What was promised, and what came of it:');
  for (const { text, kept, finding } of promised) {
    screen.plain(`  ${kept ? 'kept  ' : 'BROKEN'}  ${text}\n          ${finding}`);
  }
  const broken = promised.filter(({ kept }) => !kept);
  const verdict =
    broken.length === 0
      ? `All ${promised.length} promises were kept.`
      : `${broken.length} of ${promised.length} promises were BROKEN: ${broken.map(({ text }) => text).join('; ')}.`;
  screen.say(`${verdict} The demo took ${seconds.toFixed(0)} s.`);
}

/** A machine that stands still looks like recorders that fell silent, and to a clock it is one. */
function tellStarvation(screen: Screen, { processor: { samples } }: Stage): void {
  const starvation = starvationOf(samples, samples[0]?.atMs ?? 0, Date.now());
  if (starvation === undefined) return;
  screen.say(
    `While it ran, ${told(starvation)}. Heartbeats are late on such a machine: try again when its host is calm.`,
  );
}

async function keepUp(
  { cluster, system, witness, processor, api }: Stage,
  screen: Screen,
  ending: Ending,
): Promise<void> {
  const binaries = await ensureBinaries(['kubectl'], screen.note);
  await cluster.keep();
  ending.forget();
  // Only what is looked around in stays: this process ends when nothing of its own is left.
  system.chronicle.stop();
  witness.stop();
  processor.close();
  await api.close();
  screen.say('The cluster stays up, and its cameras go on. Look around:');
  screen.plain(
    [
      `  alias kubectl='${binaries('kubectl')} --kubeconfig ${cluster.kubeconfigPath}'`,
      `  kubectl -n ${NAMESPACE} get rsrv,fop,cam          # who records what`,
      `  kubectl -n ${NAMESPACE} get rsrv,fop,cam,rbak -o wide`,
      `  kubectl -n ${NAMESPACE} describe fop              # the conditions and the history of the failovers`,
      `  kubectl -n ${NAMESPACE} get events --sort-by=.metadata.creationTimestamp`,
      `  kubectl -n ${OPERATOR_NAMESPACE} logs -l app.kubernetes.io/component=operator`,
      `Take it away with: npm run cluster -- down --name ${cluster.name}`,
    ].join('\n'),
  );
}
