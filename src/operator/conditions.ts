/** A condition as the Kubernetes API conventions want it. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  /** CamelCase, from a published enumeration; never empty. */
  reason: string;
  /** For people. */
  message: string;
  /** `metadata.generation` that this condition was judged by. */
  observedGeneration?: number;
  /** RFC 3339, whole seconds: when `status` last changed. */
  lastTransitionTime: string;
}

/** A time as `metav1.Time` takes it: RFC 3339 with whole seconds. */
export function kubeTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/**
 * Returns the list with `next` in it, sorted by type. `lastTransitionTime` moves only when the status changes, so that
 * a new reason or message does not look like a transition. `list` is left as it is.
 */
export function setCondition(
  list: readonly Condition[] | undefined,
  next: Omit<Condition, 'lastTransitionTime'>,
  now: Date,
): Condition[] {
  const before = list?.find((condition) => condition.type === next.type);
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : kubeTime(now);
  const others = (list ?? []).filter((condition) => condition.type !== next.type);
  return [...others, { ...next, lastTransitionTime }].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}
