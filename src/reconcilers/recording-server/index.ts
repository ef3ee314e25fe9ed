export { createServerReconciler, type ServerReconcilerOptions } from './reconciler.js';
export { reviewProtection, watchServers } from './triggers.js';
