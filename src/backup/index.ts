export {
  BASELINE_FORMAT,
  BASELINE_FORMAT_VERSION,
  type Baseline,
  type BaselineCamera,
  type BaselinePool,
  type BaselineRole,
  type BaselineSecret,
  type BaselineServer,
  type BaselineSources,
  baselineCamera,
  baselineHead,
  collectBaseline,
  decodeBaseline,
  type EncodedBaseline,
  encodeBaseline,
} from './baseline.js';
export { CameraRoll, CameraRun } from './camera-roll.js';
export { canonicalJson } from './canonical-json.js';
export type { Delegated, DelegatingEngine } from './delegate.js';
export { destinationOf, engineNameOf, targetOf } from './destination.js';
export { decrypt, keyIdOf } from './encryption/envelope.js';
export { type EncryptionKey, parseKey } from './encryption/key.js';
export {
  type Artifact,
  type BackupEngine,
  BackupError,
  type BackupTarget,
  type FoundArtifact,
  type StoredBaseline,
} from './engine.js';
export { createDelegates, createEngines } from './engines.js';
export { type BaselineHead, type PackedBaseline, packBaseline } from './packing.js';
export { createS3Engine, type S3EngineOptions } from './s3/engine.js';
export { createSecretEngine, type SecretEngineOptions } from './secret/engine.js';
export { readSecretContents } from './secret-contents.js';
export { createVeleroEngine, type VeleroEngineOptions } from './velero/engine.js';
