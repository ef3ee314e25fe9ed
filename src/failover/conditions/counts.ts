import { type Policy, viewOf } from '../draft.js';
import { heldRoles, isHolder } from '../roles.js';
import { serverState } from '../server/server-state.js';

/** Rule 15: how many servers stand in each folder. */
export const countServers: Policy = (draft) => {
  const counts = { active: 0, standby: 0, broken: 0, maintenance: 0 };
  const view = viewOf(draft);
  const holders = new Map(heldRoles(view).map((role) => [role.holder, role]));
  for (const server of view.servers.filter(({ member }) => member)) {
    const role = holders.get(server.name);
    const { state, nextCheckInMs } = serverState({
      operatingMode: server.spec.operatingMode,
      holdsRole: role !== undefined && isHolder(role, server),
      verdict: server.health.verdict,
      brokenForMs: server.health.brokenForMs,
      drained: server.drained,
      previous: server.status,
      stableSeconds: view.spec.failback.stableSeconds,
      now: view.now.wall,
    });
    if (nextCheckInMs !== undefined) draft.due.push(nextCheckInMs);
    if (state === 'Active') counts.active += 1;
    else if (state === 'Standby') counts.standby += 1;
    else if (state === 'Broken') counts.broken += 1;
    else if (state === 'Maintenance') counts.maintenance += 1;
  }
  draft.record.counts = counts;
};
