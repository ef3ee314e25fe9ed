import { labels } from '../crds/index.js';
import { type ApiClient, isApiError, type KubeObject, resources } from '../operator/index.js';
import type { BaselineSecret } from './baseline.js';
import { PART_TYPE } from './secret/parts.js';

/** Reads that run at once: enough to hide latency, few enough to leave room for the takeovers. */
const parallelReads = 8;
/** A service account's token is no setting of a recording system, and a baseline is no part of a baseline. */
const leftOut = new Set<string>(['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token', PART_TYPE]);

/**
 * The contents of the named Secrets that carry the label `understudy.dev/include-in-baselines: "true"`. Whoever may write
 * cameras names Secrets, and whoever may write pools names the key and the bucket: without the consent of somebody who may
 * write the Secret itself, these two could read any Secret of the namespace by way of the operator. The others, and those
 * that do not exist, are missing.
 */
export async function readSecretContents(
  client: Pick<ApiClient, 'get'>,
  namespace: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<BaselineSecret[]> {
  const found: BaselineSecret[] = [];
  const left = [...names];
  const work = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const secret = await readOne(client, namespace, name, signal);
      if (secret) found.push(secret);
    }
  };
  await Promise.all(Array.from({ length: parallelReads }, work));
  return found;
}

async function readOne(
  client: Pick<ApiClient, 'get'>,
  namespace: string,
  name: string,
  signal?: AbortSignal,
): Promise<BaselineSecret | undefined> {
  try {
    type Secret = KubeObject & { type?: string; data?: Record<string, string> };
    const { metadata, type, data = {} } = await client.get<Secret>(resources.secrets, { namespace, name }, { signal });
    if (metadata.labels?.[labels.includeInBaselines] !== 'true') return undefined;
    return type !== undefined && leftOut.has(type) ? undefined : { name, ...(type ? { type } : {}), data };
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw error;
  }
}
