import type { Chronicle } from './chronicle.js';

interface Conditioned {
  status?: { conditions?: readonly { type: string; status: string; reason: string; message: string }[] | undefined };
}

/** One condition of an object, or undefined. */
export function conditionOf(object: Conditioned | undefined, type: string) {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether the condition is True. */
export function isTrue(object: Conditioned | undefined, type: string): boolean {
  return conditionOf(object, type)?.status === 'True';
}

/** The reason of a condition; empty when there is no such condition. */
export function reasonOf(object: Conditioned | undefined, type: string): string {
  return conditionOf(object, type)?.reason ?? '';
}

/** A few lines on everything in the namespace, for the message of a wait that was in vain. */
export function summarize(chronicle: Chronicle): string {
  const lines = [
    ...chronicle.all('servers').map((server) => {
      const { state, servingRole, epoch, nodeName, cameras } = server.status ?? {};
      const counts = `${cameras?.recording ?? '?'}/${cameras?.assigned ?? '?'} cameras`;
      return `server ${server.metadata.name}: ${state} role=${servingRole ?? '-'} epoch=${epoch ?? '-'} on ${nodeName ?? '-'} ${counts} ${conditionLine(server)}`;
    }),
    ...chronicle.all('pools').map((pool) => {
      const { current, queue, roles, epoch } = pool.status ?? {};
      return `pool ${pool.metadata.name}: epoch=${epoch ?? '-'} current=${JSON.stringify(current ?? null)} queue=${JSON.stringify(queue ?? [])} roles=${JSON.stringify(roles ?? [])} ${conditionLine(pool)}`;
    }),
    ...chronicle.all('cameras').map((camera) => {
      const { boundTo } = camera.status ?? {};
      return `camera ${camera.metadata.name}: ${boundTo?.server ?? '-'} epoch=${boundTo?.epoch ?? '-'} ${conditionLine(camera)}`;
    }),
    ...chronicle
      .all('reports')
      .map((report) => `report ${report.metadata.name}: ${JSON.stringify(report.status ?? {})}`),
    ...chronicle.all('backups').map((backup) => `backup ${backup.metadata.name}: ${conditionLine(backup)}`),
  ];
  return lines.join('\n');
}

function conditionLine(object: Conditioned): string {
  const conditions = object.status?.conditions ?? [];
  return conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`).join(' ');
}
