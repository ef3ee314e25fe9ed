import type { FaultProxy } from '../proxy/fault-proxy.js';
import { Replica, type ReplicaOptions } from './replica.js';

export interface SupervisorOptions extends Omit<ReplicaOptions, 'name' | 'url'> {
  readonly proxy: FaultProxy;
}

/** Starts replicas of the operator, as a Deployment does, and keeps their names apart in the fault proxy. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #replicas: Replica[] = [];
  readonly #ending: Promise<void>[] = [];
  #count = 0;
  #restarting = 0;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Every replica that there ever was. */
  get all(): readonly Replica[] {
    return this.#replicas;
  }

  get alive(): readonly Replica[] {
    return this.#replicas.filter(({ ended }) => !ended);
  }

  /** All that the replicas have to do is done for now, and one of them leads. */
  idle(): boolean {
    const leaders = this.alive.filter(({ leading, frozen }) => leading && !frozen);
    return this.#restarting === 0 && leaders.length > 0 && leaders.every((replica) => replica.idle());
  }

  /** Starts one more; with an election, one that loses its leadership ends, and another takes its place. */
  async start(): Promise<Replica> {
    const { proxy, ...options } = this.#options;
    this.#count += 1;
    const name = `r${this.#count}`;
    const replica = new Replica({ ...options, name, url: proxy.urlOf(name) });
    this.#replicas.push(replica);
    await replica.start(() => this.#replace(replica));
    return replica;
  }

  #replace(replica: Replica): void {
    this.kill(replica);
    if (!this.#closed) this.#ending.push(this.start().then(() => undefined));
  }

  /** kill -9. What it had sent may still arrive; nothing new comes of it. */
  kill(replica: Replica): void {
    this.#options.proxy.kill(replica.name);
    this.#ending.push(replica.kill());
  }

  /** Kills whoever runs, and starts another with an empty memory at once. */
  crash(prepare: () => void = () => undefined): void {
    for (const replica of this.alive) this.kill(replica);
    if (this.#closed) return;
    prepare();
    this.#restarting += 1;
    const restarted = this.start().then(() => {
      this.#restarting -= 1;
    });
    this.#ending.push(restarted);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const replica of this.alive) this.kill(replica);
    await Promise.allSettled(this.#ending);
  }
}
