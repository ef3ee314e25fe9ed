export { applyRestore } from './apply.js';
export { openArtifact, type RestoreArtifact } from './artifact.js';
export { checkWrites, demandNoProblems, RESTORE_MANAGER } from './check.js';
export { type Live, readLive } from './live.js';
export { nothingToDo, planRestore, type RestorePlan } from './plan.js';
export { planText } from './plan-text.js';
export { type RefusalKind, RestoreRefused, RestoreUnfinished } from './refusal.js';
export { CHECKSUM_SUFFIX, type RestoreSource, readFromBackup, readFromFile } from './source.js';
