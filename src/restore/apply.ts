import { setTimeout as wait } from 'node:timers/promises';
import {
  cameraAssignments,
  type FailoverPool,
  type FailoverPoolStatus,
  failoverPools,
  reasons,
  recordingServers,
} from '../crds/index.js';
import { type ApiClient, isApiError, type KubeObject, type ResourceType, resources } from '../operator/index.js';
import type { RestoreArtifact } from './artifact.js';
import { applyObject, RESTORE_MANAGER } from './check.js';
import type { Live } from './live.js';
import { inParallel, persistently } from './parallel.js';
import { type PlannedObject, type RestorePlan, runningFailover } from './plan.js';
import { RestoreRefused, RestoreUnfinished } from './refusal.js';
import { finishedStatus, renewedStatus, statusWithRoles } from './roles.js';

/** How often a long restore says that it is still at work: well within what the operator gives it. Milliseconds. */
const renewEveryMs = 180_000;
/** How often, and how many times, is looked whether an operator has read the roles. Milliseconds. */
const noticePollMs = 100;
const noticePolls = 30;
/** So often the pool's status is read and tried again when somebody else has written it in between. */
const statusTries = 20;

export interface ApplyOptions {
  readonly client: Pick<ApiClient, 'get' | 'apply' | 'replaceStatus'>;
  readonly artifact: Pick<RestoreArtifact, 'baseline' | 'sha256'>;
  /** As it was when the plan was made. */
  readonly live: Live;
  readonly forceConflicts?: boolean | undefined;
  readonly now: () => Date;
  /** Waits so many milliseconds. */
  readonly pause?: ((ms: number) => Promise<unknown>) | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/**
 * Carries the plan out: missing Secrets, the pool, who holds which role, the servers, the cameras, and last the end of the restore. Each
 * step may be repeated, so that a restore that was interrupted anywhere is finished by the next one.
 */
export async function applyRestore(plan: RestorePlan, options: ApplyOptions): Promise<void> {
  const steps = new Steps(plan, options);
  await steps.demandNoFailover();
  await steps.write(resources.secrets);
  await steps.write(failoverPools);
  if (plan.writesStatus) await steps.bringRolesBack();
  await steps.write(recordingServers);
  await steps.write(cameraAssignments);
  if (plan.writesStatus) await steps.finish();
}

class Steps {
  readonly #plan: RestorePlan;
  readonly #options: ApplyOptions;
  /** uids of the servers by name; those that are made now among them. */
  readonly #uids: Map<string, string>;

  constructor(plan: RestorePlan, options: ApplyOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#uids = new Map(
      [...options.live.servers.values()].flatMap(({ metadata: { name, uid } }) => (uid ? [[name, uid]] : [])),
    );
  }

  /** When the mark was last written, by `now`, in milliseconds; undefined when the pool has none of this restore. */
  #markedAt: number | undefined;

  /** The rehearsal takes its time, and a recorder may have broken meanwhile. */
  async demandNoFailover(): Promise<void> {
    const { artifact, live } = this.#options;
    if (live.pool === undefined) return;
    const running = runningFailover((await this.#readPool()).status, artifact.baseline, live);
    if (running !== undefined) throw new RestoreRefused('FailoverRunning', [`a failover began meanwhile: ${running}`]);
  }

  /** Writes what is to be created or changed of one kind. */
  async write({ plural }: ResourceType): Promise<void> {
    const { client, forceConflicts = false, onProgress } = this.#options;
    const writes = this.#plan.objects.filter(({ type, action }) => type.plural === plural && action !== 'same');
    let done = 0;
    await inParallel(writes, async (object) => {
      const { metadata } = await applyObject(client, object, { force: forceConflicts });
      if (plural === recordingServers.plural && metadata.uid) this.#uids.set(metadata.name, metadata.uid);
      await this.#renewIfDue();
      done += 1;
      if (done % 500 === 0) onProgress?.(`applied ${done} of ${writes.length} ${plural}`);
    });
    if (writes.length > 0) onProgress?.(`applied ${writes.length} ${plural}`);
  }

  /** Law 2: one write, by compare-and-set, upon what the pool says at this moment. */
  async bringRolesBack(): Promise<void> {
    const { artifact, live, now } = this.#options;
    const { baseline, sha256 } = artifact;
    const written = await this.#writeStatus(({ status }) => {
      const running = runningFailover(status, baseline, live);
      if (running !== undefined) throw this.#overtaken(running);
      return statusWithRoles({ baseline, live, status, now: now() }, sha256);
    });
    const status = written ?? (await this.#readPool()).status;
    if (status?.restore?.sha256 !== sha256) return;
    this.#markedAt = now().getTime();
    if (written === undefined) return;
    this.#options.onProgress?.(`the roles are back at epoch ${written.epoch}`);
    await this.#untilNoticed();
  }

  /**
   * An operator that hears of the servers before it has read the roles would give each home its own role for a moment. It
   * says in the pool's conditions that it has read them. Bounded: there may be none.
   */
  async #untilNoticed(): Promise<void> {
    const { pause = wait, onProgress } = this.#options;
    for (let poll = 0; poll < noticePolls; poll++) {
      const { status } = await this.#readPool();
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      if (ready?.reason === reasons.Restoring || status?.restore === undefined) return;
      await pause(noticePollMs);
    }
    onProgress?.('no operator has taken note of them: none seems to run; going on');
  }

  /** One at a time: the next one that is due sees that it was done. */
  async #renewIfDue(): Promise<void> {
    const now = this.#options.now();
    if (this.#markedAt === undefined || now.getTime() - this.#markedAt < renewEveryMs) return;
    this.#markedAt = now.getTime();
    await this.#writeStatus(({ status }) => renewedStatus(status, now, this.#options.artifact.sha256));
  }

  /** From here on the operator decides over the pool again. It may have lost patience, and done so before. */
  async finish(): Promise<void> {
    const { sha256 } = this.#options.artifact;
    const written = await this.#writeStatus(({ status }) => finishedStatus(status, this.#uids, sha256));
    if (written !== undefined || this.#markedAt === undefined) return;
    throw new RestoreUnfinished(
      'the operator has ended this restore before it was finished (RestoreUnfinished): it took too long, or was overtaken',
    );
  }

  async #writeStatus(
    next: (pool: FailoverPool) => FailoverPoolStatus | undefined,
  ): Promise<FailoverPoolStatus | undefined> {
    const { client } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const pool = await this.#readPool();
      const status = next(pool);
      if (status === undefined) return undefined;
      try {
        const write = { ...pool, status };
        await persistently(() => client.replaceStatus(failoverPools, write, { fieldManager: RESTORE_MANAGER }));
        return status;
      } catch (error) {
        // Somebody wrote in between, or an answer was lost: what is there now decides what is left to write.
        if (!isApiError(error, 'conflict') || attempt >= statusTries) throw error;
      }
    }
  }

  #readPool(): Promise<FailoverPool & KubeObject> {
    const key = { namespace: this.#plan.namespace, name: this.#plan.pool };
    return persistently(() => this.#options.client.get<FailoverPool & KubeObject>(failoverPools, key));
  }

  /** The plan was made before that failover; only the pool's spec can have been written by now. */
  #overtaken(running: string): RestoreRefused {
    const pool: PlannedObject | undefined = this.#plan.objects.find(({ type }) => type.plural === failoverPools.plural);
    const done =
      pool === undefined || pool.action === 'same' ? '' : `; the spec of pool ${pool.name} was written already`;
    return new RestoreRefused('FailoverRunning', [`a failover began meanwhile: ${running}${done}`]);
  }
}
