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
import { Attempts } from './attempts.js';
import { lookAgainMs } from './delegated.js';
import { type Failure, failureOf, overdueFailure } from './failure.js';
import { FirstSeen } from './first-seen.js';
import { type Gathered, type GatherSources, gather, openBackup, poolOf } from './gather.js';
import type { BaselineMetrics } from './metrics.js';
import { listed, plan, type Step } from './plan.js';
import { staleness } from './staleness.js';
import { completeStatus, failedStatus, retryingStatus, retryOf, runningStatus } from './status.js';

/** What holds for a Backup whose pool is not known: the default of spec.backup.retrySeconds. */
const defaultRetrySeconds = 3600;

export interface BackupReconcilerOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'listPages' | 'create' | 'delete' | 'patchStatus'>;
  readonly stores: Pick<Stores, 'cameras' | 'pools'>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** The operator's version; stands in every baseline. */
  readonly version: string;
  /** Default: all there are, over `client`. */
  readonly engines?: readonly BackupEngine[];
  /** Engines that have others make it. Default: all there are, over `client`. */
  readonly delegates?: readonly DelegatingEngine[];
  readonly metrics?: Pick<BaselineMetrics, 'failures'>;
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
  readonly #attempts: Attempts;
  readonly #followed: FirstSeen;

  constructor(options: BackupReconcilerOptions) {
    this.#options = options;
    this.#attempts = new Attempts(() => options.clock.monotonic());
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
    const backup = await openBackup(this.#sources.client, parseKey(key), context.signal);
    if (!backup) {
      this.#attempts.forget(key);
      this.#followed.forget(key);
      return undefined;
    }
    const waitedMs = this.#attempts.waitedMs(key, backup);
    const pauseMs = this.#attempts.pauseLeftMs(key, backup);
    if (pauseMs > 0) return { requeueAfterMs: pauseMs };
    try {
      const gathered = await gather(this.#sources, backup, context.signal);
      const followedMs = gathered.delegated ? this.#followed.sinceMs(key, backup) : 0;
      return await this.#apply(plan(gathered, waitedMs, followedMs), gathered, backup, context);
    } catch (error) {
      return this.#failedTry(error, key, backup, context);
    }
  }

  /**
   * What only a person can mend fails at once. What may pass is tried again until the pool's time for it is over, and once
   * more: nothing fails for an outage of the API server, in which nobody could try.
   */
  async #failedTry(
    error: unknown,
    key: string,
    backup: Backup,
    context: ReconcileContext,
  ): Promise<Result | undefined> {
    const ended = context.signal.aborted || isApiError(error, 'writeRefused', 'namespaceTerminating', 'notFound');
    if (ended) throw error;
    const limitMs = this.#limitMs(backup);
    const byEngine = error instanceof BackupError;
    const isLate = this.#attempts.failingForMs(key, backup) >= limitMs;
    const isOver = isLate && this.#attempts.failedLate(key, backup, byEngine);
    const failure = failureOf(error) ?? (isOver ? overdueFailure(error, limitMs) : undefined);
    if (failure) {
      context.log.warn({ err: error }, 'baseline failed');
      return this.#fail(await this.#current(key, context), failure, context);
    }
    // The controller's own backoff is for what is no word of an engine, as a rule a passing fault of the API server.
    if (!byEngine) throw error;
    context.log.warn({ err: error }, 'baseline is tried again');
    const requeueAfterMs = this.#attempts.pauseAfterFailure(key, backup);
    const message = `${error.message}. It is tried again for ${limitMs / 1000} s in all`;
    const current = await this.#current(key, context);
    await this.#write(current, retryingStatus(current, error.reason, message, this.#now()), context);
    return { requeueAfterMs };
  }

  /** How long a Backup is tried: spec.backup.retrySeconds, and not less than the queue waits for it. Milliseconds. */
  #limitMs({ metadata, spec }: Backup): number {
    const pool = this.#options.stores.pools.get(`${metadata.namespace}/${spec.poolRef.name}`);
    const { retrySeconds = defaultRetrySeconds, deadlineSeconds = 0 } = pool?.spec.backup ?? {};
    return Math.max(retrySeconds, deadlineSeconds) * 1000;
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
    { destination }: Extract<Step, { do: 'write' }>,
    context: ReconcileContext,
  ): Promise<Result | undefined> {
    const placed: Backup = { ...backup, status: { ...backup.status, destination } };
    const running = this.#begun(placed, gathered.pool?.status?.epoch);
    await this.#write(backup, running, context);
    const written: Backup = { ...backup, status: running };
    const delegate = this.#delegates.get(engineNameOf(written));
    if (delegate) {
      await delegate.begin(targetOf(written), context.signal);
      return { requeueAfterMs: lookAgainMs(0) };
    }
    const engine = this.#engines.get(engineNameOf(written));
    if (!engine) throw new BackupError(reasons.InvalidSpec, `spec.engine ${engineNameOf(written)} is not known`);
    const { baseline, unbound } = await this.#collect(written, gathered, context.signal);
    const artifact = await engine.write(baseline, targetOf(written), context.signal);
    return this.#complete(written, artifact, unbound, context);
  }

  async #collect(
    { metadata, status }: Backup,
    gathered: Gathered,
    signal: AbortSignal,
  ): Promise<{ readonly baseline: PackedBaseline; readonly unbound: readonly string[] }> {
    const { pool } = gathered;
    if (!pool) throw new BackupError(reasons.PoolNotFound, 'its FailoverPool does not exist');
    const { servers, cameras, unbound } = await gathered.readSystem();
    const { namespace = '' } = metadata;
    const sources = { operatorVersion: this.#options.version, namespace, pool, servers };
    const logins = await cameras.secrets();
    const head = baselineHead(sources, logins);
    if (!status?.destination?.encryption?.includeSecrets)
      return { baseline: await packBaseline(head, cameras.texts()), unbound };
    const secretContents = await readSecretContents(this.#options.client, namespace, head.secrets, signal);
    return {
      baseline: await packBaseline(baselineHead({ ...sources, secretContents }, logins), cameras.texts()),
      unbound,
    };
  }

  /** The Backup may say more by now than when it was read: where it is kept. */
  #current(key: string, context: ReconcileContext): Promise<Backup> {
    return this.#options.client.get<Backup>(backups, parseKey(key), { signal: context.signal });
  }

  /** What was said of the tries before stays until this one has an end: it is what a person wants to read meanwhile. */
  #begun(backup: Backup, poolEpoch: number | undefined): BackupStatus {
    const begun: Backup = { ...backup, status: { ...backup.status, poolEpoch } };
    const said = retryOf(backup);
    return said
      ? retryingStatus(begun, said.reason, said.message, this.#now())
      : runningStatus(begun, reasons.InProgress, 'the baseline is being made', this.#now());
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
    const stale = staleness(backup, await poolOf(this.#sources.client, backup, context.signal));
    await this.#write(backup, completeStatus(told, artifact, { message, stale }, this.#now()), context);
    this.#report(backup, 'Normal', reasons.Complete, message);
    if (stale) this.#report(backup, 'Normal', reasons.RolesMoved, stale.message);
  }

  async #fail(backup: Backup, failure: Failure, context: ReconcileContext, told = backup): Promise<undefined> {
    await this.#write(backup, failedStatus(told, failure.reason, failure.message, this.#now()), context);
    this.#report(backup, 'Warning', failure.reason, failure.message);
    this.#options.metrics?.failures.inc({ reason: failure.reason });
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

  #now(): Date {
    return this.#options.clock.wall();
  }
}

/** The Backup as its status is to describe it: with what was seen of the other system. */
function withRecord(backup: Backup, { delegated }: Gathered): Backup {
  return delegated ? { ...backup, status: { ...backup.status, velero: delegated.record } } : backup;
}
