export { type BaselineMetrics, createBaselineMetrics } from './metrics.js';
export { type BackupReconcilerOptions, createBackupReconciler } from './reconciler.js';
export { isFinal } from './status.js';
