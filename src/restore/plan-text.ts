import type { RestoreArtifact } from './artifact.js';
import { nothingToDo, type PlannedObject, type RestorePlan } from './plan.js';

/** Lines of one sort that are shown before the rest is counted. */
const most = 20;

export interface PlanHeading {
  readonly artifact: Pick<RestoreArtifact, 'baseline' | 'sha256'>;
  /** Where the baseline was read, as in 'Backup site/north-3'. */
  readonly from: string;
  /** Which API server it goes to. */
  readonly server: string;
  /** Show every line. */
  readonly all?: boolean | undefined;
}

/** The plan as a person reads it, with a line for each thing that would be done or left. */
export function planText(plan: RestorePlan, { artifact, from, server, all = false }: PlanHeading): string {
  const { baseline, sha256 } = artifact;
  const limit = all ? Number.POSITIVE_INFINITY : most;
  const lines = [
    `baseline  pool ${baseline.pool.name} of namespace ${baseline.namespace} at epoch ${baseline.pool.epoch}: ` +
      `${baseline.servers.length} servers, ${baseline.cameras.length} cameras (operator ${baseline.operatorVersion})`,
    `          sha256 ${sha256}`,
    `from      ${from}`,
    `into      namespace ${plan.namespace} of ${server}`,
    '',
    ...limited(plan.objects.filter(({ action }) => action === 'create').map(createLine), limit),
    ...limited(plan.objects.filter(({ action }) => action === 'change').flatMap(changeLines), limit),
    ...limited(plan.objects.filter(({ kept }) => kept.length > 0).map(keptLine), limit),
    ...limited(
      plan.left.map(({ type, name, why }) => `left      ${type.kind} ${name}: ${why}`),
      limit,
    ),
    ...limited(roleLines(plan), limit),
    ...plan.warnings.map((warning) => `warning   ${warning}`),
    summary(plan),
  ];
  return lines.join('\n');
}

function limited(lines: readonly string[], limit: number): string[] {
  if (lines.length <= limit) return [...lines];
  return [...lines.slice(0, limit), `          and ${lines.length - limit} more (--all shows them)`];
}

function createLine({ type, name }: PlannedObject): string {
  return `create    ${type.kind} ${name}`;
}

function changeLines({ type, name, changes }: PlannedObject): string[] {
  return changes.map(({ path, from, to }) => `change    ${type.kind} ${name}: ${path}: ${from ?? '(absent)'} -> ${to}`);
}

function keptLine({ type, name, kept }: PlannedObject): string {
  return `kept      ${type.kind} ${name}: only the cluster has ${kept.join(', ')}`;
}

function roleLines({ roles }: RestorePlan): string[] {
  return roles.flatMap(({ name, holder, action, why, entry }) => {
    if (action === 'same') return [];
    if (action === 'left') return [`left      role ${name} -> ${holder}: ${why}`];
    return [`role      ${name} -> ${holder} at epoch ${entry?.epoch}${why === undefined ? '' : ` (${why})`}`];
  });
}

function summary(plan: RestorePlan): string {
  const count = (action: PlannedObject['action']): number =>
    plan.objects.filter((object) => object.action === action).length;
  const epoch = plan.epoch.from === plan.epoch.to ? '' : `; epoch of the pool ${plan.epoch.from} -> ${plan.epoch.to}`;
  const counts = `${count('create')} to create, ${count('change')} to change, ${count('same')} the same, ${plan.left.length} left`;
  return nothingToDo(plan) ? `nothing to do: ${counts}` : counts + epoch;
}
