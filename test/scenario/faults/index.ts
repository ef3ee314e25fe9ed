export { type ControlPlanePart, restartControlPlane } from './control-plane.js';
export { fillDisk, hangDisk, killDisk, remountReadOnly } from './disks.js';
export type { Fault } from './fault.js';
export { cutPower, isolate, killKubelet, partitionNode } from './nodes.js';
export { killOperator, operatorBack, type Target } from './operator.js';
export { type OperatorSight, watchOperator } from './operator-sight.js';
export { freezeRecorder, killRecorder } from './recorders.js';
