export { type ControlPlanePart, restartControlPlane } from './control-plane.js';
export { everyDisk, fillDisk, hangDisk, killDisk, remountReadOnly } from './disks.js';
export type { Fault } from './fault.js';
export { isolate } from './isolation.js';
export { cutPower, killKubelet, partitionNode } from './nodes.js';
export { killOperator, operatorBack, type Target } from './operator.js';
export { type OperatorSight, watchOperator } from './operator-sight.js';
export { freezeRecorder, killRecorder } from './recorders.js';
