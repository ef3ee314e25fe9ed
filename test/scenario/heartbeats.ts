import { resources } from '../../src/operator/resources.js';
import { waitUntil } from '../cluster/wait-until.js';
import type { Api } from './api.js';

interface HeartbeatLease {
  readonly spec: { readonly renewTime?: string };
}

/** Waits until a recorder's Lease was renewed so many times from now on: each of its heartbeats was heard. */
export async function heard(
  { api, namespace }: { readonly api: Api; readonly namespace: string },
  server: string,
  times: number,
  timeoutMs: number,
): Promise<void> {
  const key = { namespace, name: `understudy-${server}` };
  const renewTime = async () => (await api.get<HeartbeatLease>(resources.leases, key)).spec.renewTime;
  let seen = await renewTime();
  let renewals = 0;
  const enough = async () => {
    const now = await renewTime();
    if (now !== seen) renewals += 1;
    seen = now;
    return renewals >= times;
  };
  await waitUntil(`${server} is heard ${times} times`, enough, { timeoutMs, intervalMs: 200 });
}
