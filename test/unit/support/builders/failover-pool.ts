import type { FailoverPool, FailoverPoolSpec, FailoverPoolStatus } from '../../../../src/crds/index.js';

export class FailoverPoolBuilder {
  readonly #name: string;
  #spec: FailoverPoolSpec = {
    failoverTimeoutSeconds: 6,
    moveOnCordon: true,
    storageGraceSeconds: 5,
    recordingServiceGraceSeconds: 30,
    startGraceSeconds: 120,
    restartGraceSeconds: 60,
    failback: { mode: 'None', stableSeconds: 300 },
    compatibility: { version: 'SameMinor' },
    storm: { maxUnreachablePercent: 50, holdSeconds: 60 },
    cameras: { failoverWhenUnreachable: false, graceSeconds: 60, writeKilobytesPerSecond: 1000 },
    backup: { engine: 'Secret', deadlineSeconds: 20, retrySeconds: 3600, retain: { count: 10, days: 30 } },
    paused: false,
  };
  #status: FailoverPoolStatus | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  spec(change: Partial<FailoverPoolSpec>): this {
    this.#spec = { ...this.#spec, ...change };
    return this;
  }

  paused(): this {
    return this.spec({ paused: true });
  }

  status(change: Partial<FailoverPoolStatus>): this {
    this.#status = { ...this.#status, ...change };
    return this;
  }

  build(): FailoverPool {
    return {
      metadata: { name: this.#name, namespace: 'ns', uid: `uid-${this.#name}`, generation: 1, resourceVersion: '1' },
      spec: this.#spec,
      ...(this.#status === undefined ? {} : { status: this.#status }),
    };
  }
}

/** A pool with a timeout of 6 s and the default graces. */
export function failoverPool(name = 'pool'): FailoverPoolBuilder {
  return new FailoverPoolBuilder(name);
}
