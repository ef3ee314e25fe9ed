import type { Scene } from './scene.js';

/** What failovers leave behind, in figures. */
export interface Tally {
  /** Highest epoch that anybody has. */
  readonly epoch: number;
  /** Entries of the pool's history. */
  readonly failovers: number;
  readonly backups: number;
}

/** Counts what is there now. A failover that happens once adds one of each, whoever died meanwhile. */
export function tally({ chronicle, pool }: Pick<Scene, 'chronicle' | 'pool'>): Tally {
  const status = chronicle.find('pools', pool)?.status;
  const seen = chronicle.all('servers').map((server) => server.status?.epoch ?? 0);
  return {
    epoch: Math.max(status?.epoch ?? 0, ...seen),
    failovers: status?.history?.length ?? 0,
    backups: chronicle.all('backups').length,
  };
}

/** What one failover, and no more, adds. */
export function oneMore({ epoch, failovers, backups }: Tally): Tally {
  return { epoch: epoch + 1, failovers: failovers + 1, backups: backups + 1 };
}

/** Roles with an epoch that was ever given to more than one server, as any version of any server's status has it. */
export function sharedEpochs({ chronicle, system }: Pick<Scene, 'chronicle' | 'system'>): string[] {
  const holders = new Map<string, Set<string>>();
  for (const { name } of system.plan.servers) {
    for (const { object } of chronicle.history('servers', name)) {
      const { servingRole, epoch } = object.status ?? {};
      if (!servingRole) continue;
      const key = `${servingRole} at epoch ${epoch}`;
      holders.set(key, (holders.get(key) ?? new Set()).add(name));
    }
  }
  return [...holders].filter(([, names]) => names.size > 1).map(([key, names]) => `${key}: ${[...names].join(', ')}`);
}
