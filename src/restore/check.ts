import { failoverPools } from '../crds/index.js';
import { type ApiClient, isApiError, type KubeObject, type ResourceType, resources } from '../operator/index.js';
import { fewOf } from './few.js';
import { inParallel, isUndeclaredField, persistently } from './parallel.js';
import type { PlannedObject, RestorePlan } from './plan.js';
import { type RefusalKind, RestoreRefused } from './refusal.js';

/** Owner of the fields that a restore writes. */
export const RESTORE_MANAGER = 'understudy-restore';

type Checker = Pick<ApiClient, 'create' | 'apply'>;

export interface CheckOptions {
  /** Takes fields over from other managers. */
  readonly forceConflicts?: boolean | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** Throws RestoreRefused for what the plan itself says against it. The gravest sort first: it is the exit code. */
export function demandNoProblems({ problems }: RestorePlan): void {
  const order: readonly RefusalKind[] = ['Artifact', 'FailoverRunning', 'Cluster'];
  const kind = order.find((candidate) => problems.some((problem) => problem.kind === candidate));
  if (kind !== undefined) throw new RestoreRefused(kind, fewOf(problems.map(({ message }) => message)));
}

/**
 * Asks the API server whether it would take every single write, without any of them being done: permissions, schema,
 * rules, admission, conflicts with other managers. Throws RestoreRefused ('Cluster') with all that it would refuse.
 */
export async function checkWrites(client: Checker, plan: RestorePlan, options: CheckOptions = {}): Promise<void> {
  const writes = plan.objects.filter(({ action }) => action !== 'same');
  const denied = await deniedAccess(client, plan, writes);
  if (denied.length > 0) throw new RestoreRefused('Cluster', denied);
  const refusals: string[] = [];
  let done = 0;
  await inParallel(writes, async (object) => {
    const refusal = await dryRun(client, object, options.forceConflicts === true);
    if (refusal !== undefined) refusals.push(refusal);
    done += 1;
    if (done % 500 === 0) options.onProgress?.(`checked ${done} of ${writes.length}`);
  });
  if (refusals.length > 0) throw new RestoreRefused('Cluster', fewOf(refusals.sort()));
}

/** The write that a restore does, and its rehearsal. */
export function applyObject(
  client: Pick<ApiClient, 'apply'>,
  { type, manifest }: PlannedObject,
  { force, dryRun = false }: { readonly force: boolean; readonly dryRun?: boolean },
): Promise<KubeObject> {
  return persistently(() =>
    client.apply<KubeObject>(type, manifest, { fieldManager: RESTORE_MANAGER, force, dryRun, timeoutMs: 30_000 }),
  );
}

async function dryRun(client: Checker, object: PlannedObject, force: boolean): Promise<string | undefined> {
  try {
    await applyObject(client, object, { force, dryRun: true });
    return undefined;
  } catch (error) {
    const mend = mendFor(error, object);
    if (mend === undefined || !isApiError(error)) throw error;
    return `${object.type.kind} ${object.name}: ${error.message}; ${mend}`;
  }
}

/** Undefined for what says nothing about the object, such as an API server that does not answer. */
function mendFor(error: unknown, { type }: PlannedObject): string | undefined {
  if (isUndeclaredField(error)) {
    return 'the CRDs of this cluster do not know the field: bring them up to the version that made the baseline (kubectl apply --server-side -f deploy/crds)';
  }
  if (isApiError(error, 'conflict')) {
    return 'these fields belong to another manager, usually Git: change them there, or take them over with --force-conflicts';
  }
  if (isApiError(error, 'invalid')) {
    return `the cluster's rules for ${type.kind} refuse it: mend the field, or bring the CRDs to the version that made the baseline`;
  }
  if (isApiError(error, 'forbidden')) return 'a permission, a policy or a quota is in the way: grant or raise it';
  if (isApiError(error, 'notFound', 'namespaceTerminating')) return 'make the namespace and install the CRDs first';
  return isApiError(error, 'terminal') ? 'look at the API server: it will not take this as it is' : undefined;
}

interface Access {
  readonly type: ResourceType;
  readonly verb: 'create' | 'patch' | 'get' | 'update';
  readonly subresource?: 'status';
}

/** What the writes need. A status is not to be had by a dry run before its object is there. */
function neededAccess({ writesStatus }: RestorePlan, writes: readonly PlannedObject[]): Access[] {
  const types = new Map(writes.map(({ type }) => [type.plural, type]));
  const creates = (type: ResourceType): boolean =>
    writes.some((object) => object.type === type && object.action === 'create');
  return [
    ...[...types.values()].flatMap((type): Access[] => [
      { type, verb: 'patch' },
      ...(creates(type) ? [{ type, verb: 'create' as const }] : []),
    ]),
    ...(writesStatus
      ? [
          { type: failoverPools, verb: 'get' as const },
          { type: failoverPools, verb: 'update' as const, subresource: 'status' as const },
        ]
      : []),
  ];
}

interface AccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean; readonly reason?: string };
}

async function deniedAccess(client: Checker, plan: RestorePlan, writes: readonly PlannedObject[]): Promise<string[]> {
  const answers = await Promise.all(
    neededAccess(plan, writes).map(async (access) => ({ access, allowed: await isAllowed(client, plan, access) })),
  );
  return answers
    .filter(({ allowed }) => !allowed)
    .map(({ access: { type, verb, subresource } }) => {
      const what = subresource === undefined ? type.plural : `${type.plural}/${subresource}`;
      return `you may not ${verb} ${what} in namespace ${plan.namespace}; grant it, or use an account that may`;
    });
}

async function isAllowed(client: Checker, plan: RestorePlan, { type, verb, subresource }: Access): Promise<boolean> {
  const { group, plural: resource } = type;
  const attributes = { namespace: plan.namespace, group, resource, verb, ...(subresource ? { subresource } : {}) };
  // Of a review the server wants no metadata at all; an empty name is none.
  const review: AccessReview = { metadata: { name: '' }, spec: { resourceAttributes: attributes } };
  const { status } = await persistently(() => client.create(resources.selfSubjectAccessReviews, review));
  return status?.allowed === true;
}
