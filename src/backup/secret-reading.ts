import { type ApiClient, isApiError, type Key, type KubeObject, resources } from '../operator/index.js';

/** What a Secret holds, decoded; undefined when it does not exist. Read when used, so that a rotation needs no restart. */
export async function readSecret(
  client: Pick<ApiClient, 'get'>,
  key: Key,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, Buffer>> | undefined> {
  try {
    const secret = await client.get<KubeObject & { data?: Record<string, string> }>(resources.secrets, key, { signal });
    const entries = Object.entries(secret.data ?? {});
    return Object.fromEntries(entries.map(([name, value]) => [name, Buffer.from(value, 'base64')]));
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw error;
  }
}
