import { backupKind } from '../backup.js';
import { cameraAssignmentKind } from '../camera-assignment.js';
import { failoverPoolKind } from '../failover-pool.js';
import type { KindDefinition } from '../kind.js';
import { recorderReportKind } from '../recorder-report.js';
import { recordingServerKind } from '../recording-server.js';

/** Every kind, in the order in which a reader meets them. */
export const allKinds: readonly KindDefinition[] = [
  recordingServerKind,
  failoverPoolKind,
  cameraAssignmentKind,
  backupKind,
  recorderReportKind,
];
