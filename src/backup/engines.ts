import type { BackupEngine } from './engine.js';
import { createS3Engine } from './s3/engine.js';
import { createSecretEngine, type SecretEngineOptions } from './secret/engine.js';

/** Every engine there is. */
export function createEngines(options: Pick<SecretEngineOptions, 'client'>): BackupEngine[] {
  return [createSecretEngine(options), createS3Engine(options)];
}
