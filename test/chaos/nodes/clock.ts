/** Time of day of a wall clock time in milliseconds, as violations print it. UTC. */
export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
