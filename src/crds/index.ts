export * from './backup.js';
export * from './camera-assignment.js';
export * from './failover-pool.js';
export * from './kind.js';
export * from './labels.js';
export * from './reasons.js';
export * from './recorder-report.js';
export * from './recording-server.js';
