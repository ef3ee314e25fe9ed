import { foldContact } from '../../../../src/failover/health/contact.js';
import { judge } from '../../../../src/failover/health/health.js';
import { observe } from '../../../../src/failover/health/observation.js';
import { healthSettings } from '../../../../src/failover/settings.js';
import type { ApiContact, HealthSettings, Observation, ServerHealth, Signals } from '../../../../src/failover/types.js';
import { type SignalsBuilder, signals } from '../../support/builders/signals.js';

/** One replica that watches one server; timeout 6 s, so a heartbeat every 2 s. */
export class Replica {
  now = 0;
  settings: HealthSettings = healthSettings({ failoverTimeoutSeconds: 6 });
  #observation: Observation | undefined;
  #contact: ApiContact | undefined = { since: 0, last: 0 };
  #beats = 0;

  sees(seen: SignalsBuilder | Signals): this {
    this.#observation = observe(this.#observation, 'build' in seen ? seen.build() : seen, this.now);
    return this;
  }

  /** Heartbeats at the cadence for so long, seen as they come. */
  beats(seen: SignalsBuilder, forMs: number): this {
    for (const end = this.now + forMs; this.now < end; ) {
      this.#beats += 1;
      this.sees(seen.renewed(`t${this.#beats}`)).passes(2000);
    }
    return this;
  }

  passes(ms: number): this {
    for (const end = this.now + ms; this.now < end; ) {
      this.now = Math.min(end, this.now + 1000);
      this.#contact = foldContact(this.#contact, this.now);
    }
    return this;
  }

  passesWithoutApi(ms: number): this {
    this.now += ms;
    return this;
  }

  hearsApi(): this {
    this.#contact = foldContact(this.#contact, this.now);
    return this;
  }

  get observation(): Observation | undefined {
    return this.#observation;
  }

  judges(): ServerHealth {
    return judge(this.#observation, this.settings, this.now, this.#contact);
  }
}

/** A replica that has seen a server send heartbeats for 5 s. */
export function watched(): Replica {
  return new Replica().sees(signals()).passes(1000).beats(signals(), 4000);
}
