export { createProtection, type Protection } from './protection.js';
export { createPoolReconciler, type PoolReconcilerOptions } from './reconciler.js';
export { createStandbyJudgement } from './standby.js';
export { poolsOfServer, watchPools } from './triggers.js';
