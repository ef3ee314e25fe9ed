export { createServerReconciler, type ServerReconcilerOptions } from './reconciler.js';
export { PROTECTION_DELAY_MS, reviewProtection, watchServers } from './triggers.js';
