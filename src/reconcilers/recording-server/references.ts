import { childNames, type Reason, type RecordingServer, reasons } from '../../crds/index.js';
import { isOurs } from '../children.js';
import { claimNameOf, indexes, type Stores } from '../stores.js';
import type { ClaimView } from '../views.js';

/** Why a server can't work as it stands. Only a person can help. */
export interface Fault {
  readonly reason: Reason;
  readonly message: string;
}

type Volume = RecordingServer['spec']['volumes'][number];

/** What a server's references have to be judged by. */
export interface References {
  readonly server: RecordingServer;
  readonly poolExists: boolean;
  /** For each of spec.volumes, in order. */
  readonly volumes: readonly {
    readonly volume: Volume;
    readonly claimName: string;
    readonly claim: ClaimView | undefined;
    /** Other servers that name the same claim. */
    readonly rivals: readonly RecordingServer[];
  }[];
}

export function gatherReferences(stores: Stores, server: RecordingServer): References {
  const { namespace } = server.metadata;
  const { poolRef, volumes } = server.spec;
  return {
    server,
    poolExists: poolRef === undefined || stores.latestPools.get(`${namespace}/${poolRef.name}`) !== undefined,
    volumes: volumes.map((volume) => {
      const claimName = claimNameOf(server, volume);
      const key = `${namespace}/${claimName}`;
      const users = stores.servers.byIndex(indexes.claim, key);
      const rivals = users.filter((other) => other.metadata.uid !== server.metadata.uid);
      return { volume, claimName, claim: stores.claims.get(key), rivals };
    }),
  };
}

/** True when `a` was there before `b`; two of the same second are ordered by name, so that every pass agrees. */
function isOlder(a: RecordingServer, b: RecordingServer): boolean {
  const [made, other] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return made === other ? a.metadata.name < b.metadata.name : made < other;
}

function poolFault({ server, poolExists }: References): Fault | undefined {
  if (poolExists) return undefined;
  const message = `spec.poolRef names FailoverPool ${server.spec.poolRef?.name}, which does not exist; create it or name another`;
  return { reason: reasons.PoolNotFound, message };
}

function volumeFault(server: RecordingServer, reference: References['volumes'][number]): Fault | undefined {
  const { volume, claimName, claim, rivals } = reference;
  const owner = rivals.find((rival) => isOlder(rival, server));
  if (owner) {
    const message = `spec.volumes[${volume.name}]: claim ${claimName} belongs to server ${owner.metadata.name}, which was there first; every server needs disks of its own`;
    return { reason: reasons.ClaimInUse, message };
  }
  if (volume.claimTemplate) {
    if (!claim || isOurs(claim)) return undefined;
    const message = `spec.volumes[${volume.name}]: a claim ${childNames.claim(volume.name, server.metadata.name)} exists and was not made from this template; to use it, name it in claimName`;
    return { reason: reasons.NameTaken, message };
  }
  if (claim && !claim.metadata.deletionTimestamp) return undefined;
  const state = claim ? 'is being deleted' : 'does not exist';
  const message = `spec.volumes[${volume.name}]: claim ${claimName} ${state}; create it or name another`;
  return { reason: reasons.ClaimNotFound, message };
}

/** The first volume that can't be had: without its disks no pod is made. */
export function claimFault({ server, volumes }: References): Fault | undefined {
  return volumes.map((reference) => volumeFault(server, reference)).find((fault) => fault !== undefined);
}

/** The first reference that is wrong, in the order in which a person would mend them. */
export function referenceFault(references: References): Fault | undefined {
  return poolFault(references) ?? claimFault(references);
}
