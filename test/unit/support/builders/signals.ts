import type { RecorderReportStatus } from '../../../../src/crds/index.js';
import type { LeaseSignal, NodeSignal, PodSignal, Signals, VolumeSignal } from '../../../../src/failover/types.js';

const since = '2026-01-02T03:00:00Z';
type VolumeState = NonNullable<RecorderReportStatus['volumes']>[number]['state'];

export class SignalsBuilder {
  #signals: Signals;

  constructor() {
    this.#signals = {
      serverUID: 'uid-a',
      everReady: true,
      volumes: [
        { name: 'a', claimName: 'a-a', claimUID: 'c1', claimPhase: 'Bound', volumePhase: 'Bound' },
        { name: 'b', claimName: 'b-a', claimUID: 'c2', claimPhase: 'Bound', volumePhase: 'Bound' },
      ],
      pod: { uid: 'pod-1', phase: 'Running', ready: true, nodeName: 'n1' },
      lease: {
        uid: 'lease-1',
        resourceVersion: '1',
        renewTime: 't0',
        leaseDurationSeconds: 6,
        holderIdentity: 'pod-1',
      },
      report: { podUID: 'pod-1', version: '1.2.3', recordingService: { state: 'Ready', sinceTime: since } },
    };
    this.disks('Healthy', 'Healthy');
  }

  renewed(renewTime: string): this {
    return this.lease({ renewTime });
  }

  lease(change: Partial<LeaseSignal>): this {
    const { lease = { resourceVersion: '1', leaseDurationSeconds: 6 } } = this.#signals;
    return this.with({ lease: { ...lease, ...change } });
  }

  pod(change: Partial<PodSignal>): this {
    const { pod = { uid: 'pod-1', phase: 'Running', ready: true } } = this.#signals;
    return this.with({ pod: { ...pod, ...change } });
  }

  disks(...states: VolumeState[]): this {
    const volumes = states.map((state, index) => {
      const name = this.#signals.volumes[index]?.name ?? `v${index}`;
      return { name, mountPath: `/footage/${name}`, state, sinceTime: since };
    });
    return this.report({ volumes });
  }

  node(change: Partial<NodeSignal>): this {
    return this.with({ node: { exists: true, ready: true, unschedulable: false, ...this.#signals.node, ...change } });
  }

  /** The volume of that name alone. */
  volume(name: string, change: Partial<VolumeSignal>): this {
    const volumes = this.#signals.volumes.map((volume) => (volume.name === name ? { ...volume, ...change } : volume));
    return this.with({ volumes });
  }

  claims(change: Partial<VolumeSignal>): this {
    return this.with({ volumes: this.#signals.volumes.map((volume) => ({ ...volume, ...change })) });
  }

  service(state: 'Starting' | 'Ready' | 'Failed' | 'Stopping', sinceTime = since): this {
    if (state === 'Stopping') return this.report({ recordingService: { state, sinceTime } });
    return this.report({ recordingService: { state, sinceTime, message: 'no room for ffmpeg' } });
  }

  report(change: Partial<RecorderReportStatus>): this {
    return this.with({ report: { ...this.#signals.report, ...change } });
  }

  with(change: Partial<Signals>): this {
    this.#signals = { ...this.#signals, ...change };
    return this;
  }

  build(): Signals {
    return this.#signals;
  }
}

/** The signals of a healthy server with two disks, ready before. */
export function signals(): SignalsBuilder {
  return new SignalsBuilder();
}
