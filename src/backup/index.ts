export {
  BASELINE_FORMAT,
  BASELINE_FORMAT_VERSION,
  type Baseline,
  type BaselineCamera,
  type BaselinePool,
  type BaselineRole,
  type BaselineServer,
  type BaselineSources,
  baselineCamera,
  collectBaseline,
  decodeBaseline,
  type EncodedBaseline,
  encodeBaseline,
} from './baseline.js';
export { canonicalJson, canonicalJsonInSlices } from './canonical-json.js';
export { type Artifact, type BackupEngine, BackupError, type BackupTarget, type StoredBaseline } from './engine.js';
export { createSecretEngine, type SecretEngineOptions } from './secret/engine.js';
