import type { RecorderReportStatus } from '../../crds/recorder-report.js';
import type { RecordingServerStatus } from '../../crds/recording-server.js';
import type { ApiClient, Clock, Log } from '../../operator/index.js';
import type { Order } from '../assignment/assignment.js';
import type { FootageVolume } from '../disks/footage-volume.js';
import { placeCamera } from '../disks/placement.js';
import { isUsable } from '../disks/volume-monitor.js';
import type { RecorderEnvironment } from '../environment.js';
import { cameraFolder } from '../footage/layout.js';
import { formatRetention } from '../footage/retention-plan.js';
import type { Peer } from '../port/agent-client.js';
import type { Offer } from '../port/agent-port.js';
import { makePortIdentity } from '../port/certificate.js';
import { missingFootage } from './missing.js';
import { RateLimit } from './rate-limit.js';
import { Recovery, type RecoveryOrder, type TargetVolume } from './recovery.js';
import { SegmentSource } from './segment-source.js';
import { SegmentStore } from './segment-store.js';

/** What the operator says in the status of this recorder's server. */
export type ExchangeStatus = Pick<RecordingServerStatus, 'recovery' | 'offers'>;

export interface FootageExchangeOptions {
  readonly environment: RecorderEnvironment;
  readonly client: Pick<ApiClient, 'list'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly volumes: readonly FootageVolume[];
  readonly onChange: () => void;
}

/** So much goes to a recovery unless the option recoveryMegabytesPerSecond says otherwise: a tenth of a slow disk. */
const DEFAULT_MEGABYTES_PER_SECOND = 20;

/** Host and port of another agent; undefined for an address that is none. */
export function peerOf(address: string | undefined, fingerprint: string | undefined): Peer | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address ?? '') ?? [];
  const host = bracketed ?? plain;
  return host === undefined || fingerprint === undefined ? undefined : { host, port: Number(port), fingerprint };
}

/** Both sides of footage recovery (rule 10): gives segments to whom the operator has named, and fetches them. */
export class FootageExchange {
  readonly #options: FootageExchangeOptions;
  readonly #recovery: Recovery;
  readonly #source: SegmentSource;
  /** Its key lives as long as this process. */
  readonly identity;
  #offers: readonly Offer[] = [];

  constructor(options: FootageExchangeOptions) {
    this.#options = options;
    const { environment, client, clock, log, volumes, onChange } = options;
    this.identity = makePortIdentity(environment.server);
    this.#source = new SegmentSource(() =>
      volumes.map(({ mountPath, state }) => ({ mountPath, usable: isUsable(state) })),
    );
    const wanted = Number(environment.engineOptions.recoveryMegabytesPerSecond);
    this.#recovery = new Recovery({
      clock,
      log,
      store: new SegmentStore(),
      limit: new RateLimit(clock, wanted > 0 ? wanted : DEFAULT_MEGABYTES_PER_SECOND),
      missing: (role, camera) => missingFootage(client, environment.namespace, role, camera),
      place: (camera) => this.#place(camera),
      keepRetention: ({ mountPath }, role, camera, retentionSeconds) =>
        volumes
          .find((volume) => volume.mountPath === mountPath)
          ?.journal.write(`${cameraFolder(role, camera)}/retention.json`, formatRetention(retentionSeconds)),
      onChange,
    });
  }

  /** Who may fetch what from this recorder right now. */
  get offers(): readonly Offer[] {
    return this.#offers;
  }

  /** Answers requests for segments. */
  get segments() {
    return this.#source.handle;
  }

  /** Its part of the RecorderReport. */
  get report(): Pick<RecorderReportStatus, 'port' | 'recovery'> {
    const { report } = this.#recovery;
    const port = { fingerprint: this.identity.fingerprint };
    return report === undefined ? { port } : { port, recovery: report };
  }

  /** Level-based: what the operator says, and the role that this recorder has. */
  follow(status: ExchangeStatus | undefined, order: Order): void {
    this.#offers = status?.offers ?? [];
    this.#recovery.follow(this.#orderOf(status, order));
  }

  stop(): void {
    this.#recovery.stop();
  }

  #orderOf(status: ExchangeStatus | undefined, order: Order): RecoveryOrder | undefined {
    const { id, state, role, camera, fromServer, address, fingerprint } = status?.recovery ?? {};
    if (id === undefined || state !== 'Running' || fromServer === undefined) return undefined;
    if (order.mode !== 'Record' || order.role !== role) return undefined;
    const peer = peerOf(address, fingerprint);
    return { id, role, camera, fromServer, source: peer && { peer, identity: this.identity } };
  }

  #place(camera: string): TargetVolume | undefined {
    const volume = placeCamera(camera, this.#options.volumes);
    if (volume === undefined) return undefined;
    const { space } = volume.monitor;
    const reserve = Number(this.#options.environment.engineOptions.reservePercent) || 5;
    const spareBytes = space && space.availableBytes - (space.sizeBytes * reserve) / 100;
    return { name: volume.name, mountPath: volume.mountPath, spareBytes };
  }
}
