import type { FailoverPoolStatus } from '../../../src/crds/index.js';
import { isTrue } from '../../scenario/summary.js';
import { clock } from './clock.js';
import { cut, type Evidence } from './evidence.js';
import { disables, type Moment } from './faults.js';
import { type Allowance, allowanceOf, type Hit } from './hits.js';
import { newEntries } from './laws.js';
import { type Plot, ROLE } from './plot.js';

/** The part of one system in one case: where it stood before, what was done to it, and where it stands. */
export class Act {
  readonly plot: Plot;
  readonly startMs: number;
  readonly hits: Hit[] = [];
  /** Planned moves by the repair afterwards. */
  repairMoves = 0;
  /** What went wrong on the way. */
  readonly failures: string[] = [];
  readonly #firstEpoch: number;
  readonly #editsBefore: ReadonlyMap<string, number>;

  constructor(plot: Plot) {
    this.plot = plot;
    this.startMs = Date.now();
    this.#firstEpoch = plot.pool()?.status?.epoch ?? 0;
    this.#editsBefore = new Map(plot.servers.map((server) => [server, plot.editsOf(server)]));
  }

  get allowance(): Allowance {
    return allowanceOf(this.hits, this.plot.servers);
  }

  /** Where the system stands in the failover that its hits have caused. */
  moment(): Moment {
    const felled = this.hits.filter(({ onHolder, fault }) => onHolder && disables(fault)).length;
    const { current } = this.#status();
    if (felled === 0) return 'at-rest';
    if (current !== undefined) return current.step === 'BackingUp' ? 'at-backing-up' : 'at-taking-over';
    return this.entries() >= felled ? 'at-rest' : 'at-taking-over';
  }

  /** Entries that the case has added to the history so far. */
  entries(): number {
    return (this.#status().history ?? []).filter(({ epoch }) => epoch > this.#firstEpoch).length;
  }

  /** Every camera is recorded by whoever holds the role, and nothing is under way. */
  isServed(): boolean {
    const { current, queue = [] } = this.#status();
    const holder = this.plot.holder();
    return (
      current === undefined &&
      queue.length === 0 &&
      this.plot.cameras.every((name) => {
        const camera = this.plot.chronicle.find('cameras', name);
        return isTrue(camera, 'Recording') && camera?.status?.boundTo?.server === holder;
      })
    );
  }

  /** What keeps the system from being whole and at rest; empty when it is. */
  unrest(): string[] {
    const { current, queue = [] } = this.#status();
    const holder = this.plot.holder();
    return [
      ...(current === undefined ? [] : [`a move of ${current.role} to ${current.standby} runs (${current.step})`]),
      ...queue.map(({ server, waitingFor }) => `${server} is queued: ${waitingFor ?? 'its turn'}`),
      ...(isTrue(this.plot.pool(), 'Ready') ? [] : ['the pool is not Ready']),
      ...this.plot.servers.flatMap((name) => this.#serverUnrest(name, name === holder ? 'Active' : 'Standby')),
      ...this.plot.cameras.flatMap((name) => this.#cameraUnrest(name, holder)),
    ];
  }

  #serverUnrest(name: string, expected: string): string[] {
    const server = this.plot.server(name);
    const lost = (this.plot.chronicle.find('reports', name)?.status?.volumes ?? []).filter(
      ({ state }) => state !== 'Healthy',
    );
    const { state, servingRole = '' } = server?.status ?? {};
    return [
      ...(state === expected ? [] : [`${name} is ${state}, not ${expected}`]),
      ...(isTrue(server, 'Ready') ? [] : [`${name} is not Ready`]),
      ...(servingRole === (expected === 'Active' ? ROLE : '') ? [] : [`${name} serves '${servingRole}'`]),
      ...lost.map((volume) => `volume ${volume.name} of ${name} is ${volume.state}`),
    ];
  }

  #cameraUnrest(name: string, holder: string): string[] {
    const camera = this.plot.chronicle.find('cameras', name);
    const server = camera?.status?.boundTo?.server;
    return [
      ...(isTrue(camera, 'Recording') ? [] : [`${name} is not recorded`]),
      ...(server === holder ? [] : [`${name} is bound to ${server}, not to ${holder}`]),
    ];
  }

  /** All that was seen of it until now. */
  evidence(): Evidence {
    const edits = this.plot.servers.map(
      (server) => [`server/${server}`, this.plot.editsOf(server) - (this.#editsBefore.get(server) ?? 0)] as const,
    );
    return {
      startMs: this.startMs,
      endMs: Date.now(),
      role: ROLE,
      ...cut(this.plot.chronicle, this.startMs),
      hits: this.hits,
      edits: new Map(edits),
    };
  }

  /** Moves that nothing has asked for, and those that did not come. */
  moveViolations(): string[] {
    const { least, most } = this.allowance;
    const entries = newEntries(this.evidence());
    const told = entries
      .map(({ from, to, trigger, outcome }) => `${from} to ${to} (${trigger}, ${outcome})`)
      .join(', ');
    const wrong = entries.length < least || entries.length > most + this.repairMoves;
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    return wrong ? [`the role moved ${entries.length} times instead of ${expected}: ${told || 'not at all'}`] : [];
  }

  /** What was done to it and what its pool made of that, for whoever looks into a violation. */
  told(): string[] {
    const hits = this.hits.map(
      ({ fault, server, onHolder, moment, atMs, endMs }) =>
        `${clock(atMs)} to ${endMs === undefined ? '...' : clock(endMs)} ${fault} ${moment} on ${server ?? 'all'}${onHolder ? ', the holder' : ''}`,
    );
    const entries = newEntries(this.evidence()).map(
      ({ epoch, from, to, trigger, outcome, brokenTime, committedTime, recordingTime }) =>
        `epoch ${epoch}: ${from} to ${to}, ${trigger}, ${outcome}: broken ${brokenTime ?? '-'}, committed ${committedTime}, recording ${recordingTime ?? '-'}`,
    );
    return [...hits, ...entries];
  }

  #status(): FailoverPoolStatus {
    return this.plot.pool()?.status ?? {};
  }
}
