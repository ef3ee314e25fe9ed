import type { ApiClient, KubeObject } from '../../operator/index.js';
import { isApiError, resources } from '../../operator/index.js';
import type { Credentials } from '../engine/engine.js';

interface Secret extends KubeObject {
  data?: Record<string, string>;
}

const REQUEST_TIMEOUT_MS = 2000;

/** Camera logins, read from Secrets with the recorder's own rights and kept in memory only. */
export class CredentialStore {
  readonly #client: Pick<ApiClient, 'get'>;
  readonly #namespace: string;
  readonly #known = new Map<string, Credentials>();

  constructor(client: Pick<ApiClient, 'get'>, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /**
   * The login in a Secret. Asks the API server each time, so that a changed password is used at the next attempt; when
   * it does not answer, the last known login serves on. Rejects with a sentence that names the Secret and the mend.
   */
  async get(name: string): Promise<Credentials> {
    try {
      const options = { timeoutMs: REQUEST_TIMEOUT_MS };
      const secret = await this.#client.get<Secret>(resources.secrets, { namespace: this.#namespace, name }, options);
      const credentials = credentialsOf(name, secret);
      this.#known.set(name, credentials);
      return credentials;
    } catch (error) {
      const known = this.#known.get(name);
      if (known !== undefined && !isApiError(error, 'notFound', 'forbidden')) return known;
      throw new Error(sentence(name, error), { cause: error });
    }
  }
}

function credentialsOf(name: string, secret: Secret): Credentials {
  const { username, password } = secret.data ?? {};
  if (username === undefined || password === undefined) {
    throw new Error(`Secret ${name} lacks the key username or password`);
  }
  return { username: decoded(username), password: decoded(password) };
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function sentence(name: string, error: unknown): string {
  if (isApiError(error, 'notFound')) return `Secret ${name} does not exist; create it with keys username and password`;
  if (isApiError(error, 'forbidden')) return `Secret ${name} may not be read by this recorder yet`;
  return error instanceof Error ? error.message : String(error);
}
