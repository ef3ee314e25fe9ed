import { childNames, type RecorderReport, type RecorderReportStatus, recorderReports } from '../../crds/index.js';
import type { HealthSettings, Observation } from '../../failover/types.js';
import { type ApiClient, isApiError, type KubeObject, type RequestOptions, resources } from '../../operator/index.js';

type Lease = KubeObject & { spec?: { renewTime?: string } };

export interface SilenceConfirmation {
  /**
   * Law 7: reads the Lease uncached. True when it shows the very renewal that was judged; or one that the watch has not
   * brought, but which is itself older than the timeout since it was first read here.
   */
  confirm(namespace: string, server: string, options?: RequestOptions): Promise<boolean>;
}

export interface ConfirmationOptions {
  readonly client: Pick<ApiClient, 'get'>;
  readonly observationOf: (serverKey: string) => Observation | undefined;
  readonly settingsOf: (serverKey: string) => HealthSettings;
  readonly monotonic: () => number;
}

export function createSilenceConfirmation(options: ConfirmationOptions): SilenceConfirmation {
  /** Renewals that the watch had not brought, by server, and when they were first read. */
  const unseen = new Map<string, { readonly renewTime: string | undefined; readonly readAt: number }>();

  const outlived = (key: string, renewTime: string | undefined): boolean => {
    const known = unseen.get(key);
    if (known?.renewTime === renewTime && known !== undefined)
      return options.monotonic() - known.readAt >= options.settingsOf(key).timeoutSeconds * 1000;
    unseen.set(key, { renewTime, readAt: options.monotonic() });
    return false;
  };

  return {
    async confirm(namespace, server, requestOptions) {
      const key = `${namespace}/${server}`;
      try {
        const name = childNames.lease(server);
        const lease = await options.client.get<Lease>(resources.leases, { namespace, name }, requestOptions);
        const { renewTime } = lease.spec ?? {};
        if (renewTime !== options.observationOf(key)?.renewal?.renewTime) return outlived(key, renewTime);
        unseen.delete(key);
        return true;
      } catch (error) {
        // Without a Lease nobody can renew, so silence proves nothing; the server's reconciler makes it again.
        if (isApiError(error, 'notFound')) return false;
        throw error;
      }
    },
  };
}

/** The report of a server, read uncached: its watch may be deaf to what a standby has said (law 7). */
export async function reportOf(
  client: Pick<ApiClient, 'get'>,
  namespace: string,
  server: string,
  signal: AbortSignal,
): Promise<RecorderReportStatus | undefined> {
  const key = { namespace, name: childNames.report(server) };
  try {
    return (await client.get<RecorderReport>(recorderReports, key, { signal })).status;
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw error;
  }
}
