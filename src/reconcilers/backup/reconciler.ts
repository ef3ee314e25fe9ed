import {
  type Artifact,
  type BackupEngine,
  BackupError,
  baselineHead,
  createDelegates,
  createEngines,
  type DelegatingEngine,
  engineNameOf,
  type PackedBaseline,
  packBaseline,
  readSecretContents,
  targetOf,
} from '../../backup/index.js';
import { type Backup, type BackupStatus, backups, reasons } from '../../crds/index.js';
import {
  type Clock,
  type EventRecorder,
  isApiError,
  type KubeClient,
  objectRef,
  parseKey,
  type Reconcile,
  type ReconcileContext,
  type Result,
  writeStatusIfChanged,
} from '../../operator/index.js';
import { indexes, type Stores } from '../stores.js';
import { lookAgainMs } from './delegated.js';
import { type Failure, failureOf } from './failure.js';
import { FirstSeen } from './first-seen.js';
import { type Gathered, type GatherSources, gather } from './gather.js';
import { listed, plan, type Step } from './plan.js';
import { completeStatus, failedStatus, runningStatus } from './status.js';

export interface BackupReconcilerOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'listPages' | 'create' | 'delete' | 'patchStatus'>;
  readonly stores: Pick<Stores, 'cameras'>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** The operator's version; stands in every baseline. */
  readonly version: string;
  /** Default: all there are, over `client`. */
  readonly engines?: readonly BackupEngine[];
  /** Engines that have others make it. Default: all there are, over `client`. */
  readonly delegates?: readonly DelegatingEngine[];
}

/**
 * Makes the baseline of one Backup (rule 12) and writes its status. Enqueue it for every Backup that is not `isFinal`.
 * Every step may be repeated: a crash in the middle costs a repetition, never a second baseline.
 */
export function createBackupReconciler(options: BackupReconcilerOptions): Reconcile {
  return new BackupReconciler(options).reconcile;
}

class BackupReconciler {
  readonly #options: BackupReconcilerOptions;
  readonly #engines: ReadonlyMap<string, BackupEngine>;
  readonly #delegates: ReadonlyMap<string, DelegatingEngine>;
  readonly #sources: GatherSources;
  /** When a Backup was first seen unfinished, on the monotonic clock; a namesake made later starts anew. */
  readonly #firstSeen = new Map<string, { uid: string | undefined; at: number }>();

  readonly #followed: FirstSeen;

  constructor(options: BackupReconcilerOptions) {
    this.#options = options;
    this.#followed = new FirstSeen(() => options.clock.monotonic());
    const delegates = options.delegates ?? createDelegates({ client: options.client });
    this.#delegates = new Map(delegates.map((delegate) => [delegate.name, delegate]));
    const engines = options.engines ?? createEngines({ client: options.client });
    this.#engines = new Map(engines.map((engine) => [engine.name, engine]));
    this.#sources = {
      client: options.client,
      engines: this.#engines,
      delegates: this.#delegates,
      camerasOfRole: (server) => options.stores.cameras.byIndex(indexes.server, server),
    };
  }

  readonly reconcile: Reconcile = async (key, context) => {
    try {
      return await this.#reconcile(key, context);
    } catch (error) {
      if (!isApiError(error, 'namespaceTerminating', 'notFound')) throw error;
      // The Backup, or its whole namespace, went away in the middle: nothing is left to do or to say.
      context.log.debug({ err: error }, 'backup ended with its object');
    }
  };

  async #reconcile(key: string, context: ReconcileContext): Promise<Result | undefined> {
    const gathered = await gather(this.#sources, parseKey(key), context.signal);
    const { backup } = gathered;
    if (!backup) {
      this.#firstSeen.delete(key);
      this.#followed.forget(key);
      return undefined;
    }
    const followedMs = gathered.delegated ? this.#followed.sinceMs(key, backup) : 0;
    const step = plan(gathered, this.#waitedMs(key, backup.metadata.uid), followedMs);
    try {
      return await this.#apply(step, gathered, backup, context);
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      context.log.warn({ err: error }, 'baseline failed');
      if (failure.retryable) await this.#reportTry(key, failure, context);
      if (failure.retryable) throw error;
      return this.#fail(await this.#current(key, context), failure, context);
    }
  }

  async #apply(step: Step, gathered: Gathered, backup: Backup, context: ReconcileContext): Promise<Result | undefined> {
    switch (step.do) {
      case 'nothing':
        return undefined;
      case 'fail':
        return this.#fail(backup, step, context, withRecord(backup, gathered));
      case 'wait':
        await this.#write(
          backup,
          runningStatus(withRecord(backup, gathered), step.reason, step.message, this.#now()),
          context,
        );
        return { requeueAfterMs: step.requeueAfterMs };
      case 'adopt':
        return this.#complete(backup, step.stored, [], context);
      case 'acknowledge':
        return this.#completed(backup, withRecord(backup, gathered), undefined, step.message, context);
      case 'report':
        throw step.fault;
      case 'write':
        return this.#make(backup, gathered, step, context);
    }
  }

  async #make(
    backup: Backup,
    gathered: Gathered,
    { unbound, destination }: Extract<Step, { do: 'write' }>,
    context: ReconcileContext,
  ): Promise<Result | undefined> {
    const placed: Backup = { ...backup, status: { ...backup.status, destination } };
    const running = runningStatus(placed, reasons.InProgress, 'the baseline is being made', this.#now());
    await this.#write(backup, running, context);
    const written: Backup = { ...backup, status: running };
    const delegate = this.#delegates.get(engineNameOf(written));
    if (delegate) {
      await delegate.begin(targetOf(written), context.signal);
      return { requeueAfterMs: lookAgainMs(0) };
    }
    const engine = this.#engines.get(engineNameOf(written));
    if (!engine) throw new BackupError(reasons.InvalidSpec, `spec.engine ${engineNameOf(written)} is not known`);
    const baseline = await this.#collect(written, gathered, context.signal);
    const artifact = await engine.write(baseline, targetOf(written), context.signal);
    return this.#complete(written, artifact, unbound, context);
  }

  async #collect({ metadata, status }: Backup, gathered: Gathered, signal: AbortSignal): Promise<PackedBaseline> {
    const { pool } = gathered;
    if (!pool) throw new BackupError(reasons.PoolNotFound, 'its FailoverPool does not exist');
    const { servers, cameras } = await gathered.readSystem();
    const { namespace = '' } = metadata;
    const sources = { operatorVersion: this.#options.version, namespace, pool, servers };
    const logins = await cameras.secrets();
    const head = baselineHead(sources, logins);
    if (!status?.destination?.encryption?.includeSecrets) return packBaseline(head, cameras.texts());
    const secretContents = await readSecretContents(this.#options.client, namespace, head.secrets, signal);
    return packBaseline(baselineHead({ ...sources, secretContents }, logins), cameras.texts());
  }

  /** The Backup may say more by now than when it was read: where it is kept. */
  #current(key: string, context: ReconcileContext): Promise<Backup> {
    return this.#options.client.get<Backup>(backups, parseKey(key), { signal: context.signal });
  }

  async #reportTry(key: string, { reason, message }: Failure, context: ReconcileContext): Promise<void> {
    const backup = await this.#current(key, context);
    await this.#write(backup, runningStatus(backup, reason, message, this.#now()), context);
  }

  async #complete(
    backup: Backup,
    artifact: Artifact,
    unbound: readonly string[],
    context: ReconcileContext,
  ): Promise<undefined> {
    const left = unbound.length > 0 ? ` These cameras were not bound to their new holder yet: ${listed(unbound)}.` : '';
    const message =
      `${artifact.servers} servers and ${artifact.cameras} cameras in ${artifact.location}, ` +
      `written and read back.${left}`;
    return this.#completed(backup, backup, artifact, message, context);
  }

  /** `told`: the Backup with what its status is to say beyond that. */
  async #completed(
    backup: Backup,
    told: Backup,
    artifact: Artifact | undefined,
    message: string,
    context: ReconcileContext,
  ): Promise<undefined> {
    await this.#write(backup, completeStatus(told, artifact, message, this.#now()), context);
    this.#report(backup, 'Normal', reasons.Complete, message);
  }

  async #fail(backup: Backup, failure: Failure, context: ReconcileContext, told = backup): Promise<undefined> {
    await this.#write(backup, failedStatus(told, failure.reason, failure.message, this.#now()), context);
    this.#report(backup, 'Warning', failure.reason, failure.message);
  }

  async #write(backup: Backup, status: BackupStatus, context: ReconcileContext): Promise<void> {
    await writeStatusIfChanged(this.#options.client, backups, backup, status, { signal: context.signal });
  }

  #report(backup: Backup, type: 'Normal' | 'Warning', reason: string, note: string): void {
    this.#options.events.event({
      regarding: objectRef(backups, backup.metadata),
      type,
      reason,
      action: 'Backup',
      note,
    });
  }

  #waitedMs(key: string, uid: string | undefined): number {
    const now = this.#options.clock.monotonic();
    const known = this.#firstSeen.get(key);
    const first = known !== undefined && known.uid === uid ? known : { uid, at: now };
    this.#firstSeen.set(key, first);
    return now - first.at;
  }

  #now(): Date {
    return this.#options.clock.wall();
  }
}

/** The Backup as its status is to describe it: with what was seen of the other system. */
function withRecord(backup: Backup, { delegated }: Gathered): Backup {
  return delegated ? { ...backup, status: { ...backup.status, velero: delegated.record } } : backup;
}
