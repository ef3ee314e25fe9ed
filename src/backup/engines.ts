import type { DelegatingEngine } from './delegate.js';
import type { BackupEngine } from './engine.js';
import { createS3Engine } from './s3/engine.js';
import { createSecretEngine, type SecretEngineOptions } from './secret/engine.js';
import { createVeleroEngine, type VeleroEngineOptions } from './velero/engine.js';

/** Every engine that keeps baselines itself. */
export function createEngines(options: Pick<SecretEngineOptions, 'client'>): BackupEngine[] {
  return [createSecretEngine(options), createS3Engine(options)];
}

/** Every engine that has another system make and keep them. */
export function createDelegates(options: Pick<VeleroEngineOptions, 'client'>): DelegatingEngine[] {
  return [createVeleroEngine(options)];
}
