export { type ControlPlanePart, restartControlPlane } from './control-plane.js';
export { fillDisk, hangDisk, killDisk, remountReadOnly } from './disks.js';
export type { Fault } from './fault.js';
export { cutPower, isolate, killKubelet, partitionNode } from './nodes.js';
export { aimAtOperator, killOperator, type Target } from './operator.js';
export { freezeRecorder, killRecorder } from './recorders.js';
