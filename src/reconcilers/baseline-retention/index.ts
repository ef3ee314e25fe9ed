export { createRetentionReconciler, type RetentionReconcilerOptions } from './reconciler.js';
export { watchRetention } from './triggers.js';
