/**
 * A time as `metav1.MicroTime` takes it: Lease and events.k8s.io/v1 refuse the three digits of `Date.toISOString`
 * (kubernetes-client/javascript#828, #830).
 */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
