import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../../scenario/faults/index.js';
import { isTrue } from '../../scenario/summary.js';
import { Act } from './act.js';
import { type NodeCase, nameOf } from './case.js';
import { type Draw, drawOf, isExclusive } from './draw.js';
import { disables, type Moment, moments, type NodeFault, traitsOf } from './faults.js';
import type { NodesGround } from './ground.js';
import type { Hit, OperatorLoss } from './hits.js';
import type { Plot } from './plot.js';
import { repairByMaintenance } from './repair.js';
import {
  type Aim,
  aimAtControl,
  type FaultOfNodes,
  isControlFault,
  isNodeFault,
  strikeNode,
  strikeServer,
} from './strike.js';

/** So long nothing may happen where nothing is to happen: a false judgement comes within the timeout. Milliseconds. */
const QUIET_MS = 9_000;
/** A failover, the most intricate one too, is through within so long. Milliseconds; a hang guard, no promise. */
const OUTCOME_MS = 150_000;
/** Cameras that nobody records must be said not to be recorded within so long. Milliseconds. */
const SAID_MS = 40_000;

/** A fault that was injected, and whom it hit. */
interface Strike {
  readonly fault: NodeFault;
  readonly injected: Fault;
  readonly hits: readonly { readonly act: Act; readonly hit: Hit }[];
}

/** One case while it is played: it strikes, waits for what becomes of it, and heals. */
export class Play {
  readonly #one: NodeCase;
  readonly #draw: Draw;
  readonly #ground: NodesGround;
  readonly #aimed: Act;
  readonly #strikes: Strike[] = [];
  readonly #nodesLost = new Set<string>();
  /** The systems that it concerns: all of them, or the one that it is aimed at. */
  readonly acts: readonly Act[];

  constructor(one: NodeCase, plots: readonly Plot[], ground: NodesGround) {
    this.#one = one;
    this.#ground = ground;
    this.#draw = drawOf(one, plots.length);
    const aimed = plots[this.#draw.system];
    if (aimed === undefined) throw new Error(`${nameOf(one)}: there is no system ${this.#draw.system}`);
    this.#aimed = new Act(aimed);
    this.acts = isExclusive(one) ? plots.map((plot) => (plot === aimed ? this.#aimed : new Act(plot))) : [this.#aimed];
  }

  /** Never rejects: what goes wrong stands with the system that it concerns. Everything is healed afterwards. */
  async play(): Promise<void> {
    await this.#noting(this.#aimed, () => this.#strikeInTime());
    await Promise.all(this.acts.map((act) => this.#noting(act, () => this.#outcome(act))));
    await this.#healAll();
  }

  async #strikeInTime(): Promise<void> {
    const { fault } = this.#one;
    const { primary, pauseMs } = this.#draw;
    const aim = isControlFault(fault) ? await aimAtControl[fault](this.#ground) : undefined;
    try {
      if (primary !== undefined) await this.#strikeFirst(primary);
      await this.#strike(fault, this.#aimed, aim);
    } finally {
      aim?.drop();
    }
    if (fault !== 'restart-api' && fault !== 'restart-control-plane') return;
    await pause(pauseMs);
    for (const strike of this.#strikes.splice(-1)) await this.#heal(strike);
  }

  /** Another fault causes a failover first: in every system, where what all share is to fail in the middle of it. */
  async #strikeFirst(primary: NodeFault): Promise<void> {
    const everywhere = isControlFault(this.#one.fault) && traitsOf(primary).scope === 'system';
    await Promise.all((everywhere ? this.acts : [this.#aimed]).map((act) => this.#strike(primary, act)));
    await this.#until(this.#one.moment);
  }

  /** The step of the failover that the first fault has caused. A later one will do: it is counted as what it was. */
  async #until(moment: Moment): Promise<void> {
    const { plot } = this.#aimed;
    const reached = () => {
      if (plot.pool()?.status?.current === undefined) return this.#aimed.moment() === 'at-rest';
      return moments.indexOf(this.#aimed.moment()) >= moments.indexOf(moment);
    };
    await plot.chronicle.until(`${plot.namespace} is ${moment}`, reached, OUTCOME_MS);
  }

  async #strike(fault: NodeFault, act: Act, aim?: Aim): Promise<void> {
    if (isNodeFault(fault)) return this.#strikeNode(fault, act.plot.nodeNameOf(act.plot.holder()));
    if (aim !== undefined) {
      const hits = this.acts.map((each) => hitOn(each, fault, undefined, 'leader'));
      return this.#add(fault, hits, aim.shoot);
    }
    const holder = act.plot.holder();
    const id = `${this.#one.number}-${this.#strikes.length}`;
    return this.#add(fault, [hitOn(act, fault, holder, 'none')], () => strikeServer(fault, act.plot, holder, id));
  }

  async #strikeNode(fault: FaultOfNodes, name: string): Promise<void> {
    const node = this.#ground.cluster.nodes.find((each) => each.name === name);
    if (node === undefined) throw new Error(`there is no node '${name}'`);
    const lost = disables(fault) ? await this.#operatorLostWith(name) : 'none';
    const hits = this.acts.flatMap((act) => {
      const server = act.plot.serverOn(name);
      return server === undefined ? [] : [hitOn(act, fault, server, lost)];
    });
    return this.#add(fault, hits, () => strikeNode[fault](this.#ground, node));
  }

  async #operatorLostWith(node: string): Promise<OperatorLoss> {
    const { operator } = this.#ground;
    this.#nodesLost.add(node);
    const replicas = await operator.replicas();
    if (replicas.every((replica) => this.#nodesLost.has(replica.node))) return 'all';
    return (await operator.leaderNode()) === node ? 'leader' : 'none';
  }

  async #add(fault: NodeFault, hits: Strike['hits'], inject: () => Promise<Fault>): Promise<void> {
    // First of all: what happens while it is being injected is its doing.
    for (const { act, hit } of hits) act.hits.push(hit);
    this.#strikes.push({ fault, injected: await inject(), hits });
  }

  async #outcome(act: Act): Promise<void> {
    const { least, nobodyLeft } = act.allowance;
    if (act.hits.length === 0) return;
    if (nobodyLeft) return saidUnrecorded(act);
    if (least === 0) return pause(QUIET_MS);
    const served = () => act.entries() >= least && act.isServed();
    await act.plot.chronicle.until(`${act.plot.namespace} is served again`, served, OUTCOME_MS);
  }

  /**
   * What heals by itself first, the last one before the others: to repair disks, a role may have to find another server,
   * and a kubelet ends who has stood still for a minute.
   */
  async #healAll(): Promise<void> {
    const strikes = this.#strikes.splice(0).reverse();
    const repaired = ({ fault }: Strike): boolean => traitsOf(fault).byMaintenance === true;
    for (const strike of strikes.filter((each) => !repaired(each))) await this.#heal(strike);
    await Promise.all(strikes.filter(repaired).map((strike) => this.#heal(strike)));
  }

  async #heal({ fault, injected, hits }: Strike): Promise<void> {
    const [struck] = hits;
    await this.#noting(struck?.act ?? this.#aimed, async () => {
      const server = struck?.hit.server;
      if (traitsOf(fault).byMaintenance && struck && server !== undefined)
        await repairByMaintenance(struck.act, server, injected);
      else await injected.heal();
      for (const { hit } of hits) hit.endMs = Date.now();
    });
  }

  async #noting(act: Act, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      act.failures.push(error instanceof Error ? error.message : String(error));
    }
  }
}

function hitOn(act: Act, fault: NodeFault, server: string | undefined, operatorLost: OperatorLoss) {
  const onHolder = server !== undefined && server === act.plot.holder();
  const hit: Hit = { fault, server, onHolder, moment: act.moment(), operatorLost, atMs: Date.now() };
  return { act, hit };
}

/** Rule 11: what is not recorded is said not to be, on the camera itself. */
async function saidUnrecorded({ plot: { chronicle, cameras, namespace } }: Act): Promise<void> {
  const said = () => cameras.every((name) => !isTrue(chronicle.find('cameras', name), 'Recording'));
  await chronicle.until(`the cameras of ${namespace} are said not to be recorded`, said, SAID_MS);
}
