/** The promise that is measured: power cut to first bytes, besides the camera's own times, in seconds. */
export const GAP_SECONDS = 8;
/** Hang guard of single waits; not a promise. */
export const HANG_MS = 180_000;
