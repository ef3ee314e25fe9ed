import type { Reachability } from '../../crds/recorder-report.js';
import type { SampledCamera } from './sample.js';

/** What is known of one camera. NoCredentials: its Secret can't be read, so it was not asked. */
export type Finding = 'Reached' | 'Rejected' | 'Unreachable' | 'NoCredentials';

/** An answer to the operator's question whether the cameras of a role are reached. */
export interface ReachAnswer {
  readonly id: string;
  readonly total: number;
  readonly reachable: number;
}

const MOST_NAMES = 64;
const MOST_ROLES = 64;

function names(sample: readonly SampledCamera[]): string[] {
  return sample
    .map(({ task }) => task.name)
    .sort()
    .slice(0, MOST_NAMES);
}

/** Roles of which some camera was not reached. */
function troubledRoles(
  sample: readonly SampledCamera[],
  reached: ReadonlySet<SampledCamera>,
): NonNullable<Reachability['roles']> {
  const roles = [...new Set(sample.map(({ role }) => role))].sort();
  return roles
    .map((name) => {
      const own = sample.filter(({ role }) => role === name);
      return { name, total: own.length, reachable: own.filter((each) => reached.has(each)).length };
    })
    .filter(({ total, reachable }) => reachable < total)
    .slice(0, MOST_ROLES);
}

/** The report's words for what was found; without the time, which changes with them only. */
export function findingsOf(
  cameras: number,
  sample: readonly SampledCamera[],
  found: ReadonlyMap<string, Finding>,
  asked: readonly ReachAnswer[],
): Omit<Reachability, 'checkedTime'> {
  const of = (...findings: Finding[]) =>
    sample.filter(({ task }) => findings.includes(found.get(task.name) ?? 'Unreachable'));
  const reached = new Set(of('Reached'));
  const roles = troubledRoles(sample, reached);
  return {
    cameras,
    total: sample.length,
    reachable: reached.size,
    unreachable: names(of('Unreachable', 'Rejected')),
    noCredentials: names(of('NoCredentials')),
    ...(roles.length > 0 ? { roles } : {}),
    ...(asked.length > 0 ? { asked: [...asked] } : {}),
  };
}
