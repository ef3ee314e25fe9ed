import type { RecordingServer, RecordingServerSpec, RecordingServerStatus } from '../../../../src/crds/index.js';

export class RecordingServerBuilder {
  readonly #name: string;
  #uid: string;
  #spec: RecordingServerSpec = {
    type: 'Standard',
    poolRef: { name: 'pool' },
    standbyOrder: 100,
    operatingMode: 'Normal',
    volumes: [{ name: 'a', mountPath: '/footage/a', claimTemplate: { storage: '10Gi' } }],
    recorder: { engine: 'ffmpeg' },
    updateStrategy: 'OnDelete',
  };
  #status: RecordingServerStatus | undefined;

  constructor(name: string) {
    this.#name = name;
    this.#uid = `uid-${name}`;
  }

  standby(order = 100): this {
    return this.spec({ type: 'Failover', standbyOrder: order });
  }

  unmonitored(): this {
    const { poolRef: _left, ...rest } = this.#spec;
    this.#spec = rest;
    return this;
  }

  inMaintenance(): this {
    return this.spec({ operatingMode: 'Maintenance' });
  }

  capacity(cameras: number): this {
    return this.spec({ capacity: { cameras } });
  }

  mounts(...paths: string[]): this {
    const volumes = paths.map((mountPath, index) => ({
      name: `v${index}`,
      mountPath,
      claimTemplate: { storage: '10Gi' },
    }));
    return this.spec({ volumes });
  }

  spec(change: Partial<RecordingServerSpec>): this {
    this.#spec = { ...this.#spec, ...change };
    return this;
  }

  serving(servingRole: string, epoch: number): this {
    return this.status({ servingRole, epoch });
  }

  status(change: Partial<RecordingServerStatus>): this {
    this.#status = { ...this.#status, ...change };
    return this;
  }

  uid(uid: string): this {
    this.#uid = uid;
    return this;
  }

  build(): RecordingServer {
    return {
      metadata: { name: this.#name, namespace: 'ns', uid: this.#uid, generation: 1, resourceVersion: '1' },
      spec: this.#spec,
      ...(this.#status === undefined ? {} : { status: this.#status }),
    };
  }
}

/** A server of the pool `pool` with one volume; Standard until told otherwise. */
export function recordingServer(name: string): RecordingServerBuilder {
  return new RecordingServerBuilder(name);
}
