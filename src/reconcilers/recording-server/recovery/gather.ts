import {
  AGENT_PORT,
  childNames,
  labels,
  type RecorderReportStatus,
  type RecordingServer,
  type RecoveryStatus,
} from '../../../crds/index.js';
import { type RoleState, resolveRole } from '../../roles.js';
import { indexes, type Stores } from '../../stores.js';

/** The recorder that footage is fetched from. */
export interface RecoverySource {
  readonly exists: boolean;
  /** Host and port of its agent; absent while its pod has no address. */
  readonly address?: string | undefined;
  /** Of the certificate that its present pod has reported. */
  readonly fingerprint?: string | undefined;
}

/** A recorder that fetches footage from this one. */
export interface RecoveryPeer {
  readonly server: string;
  readonly role: string;
  readonly fingerprint?: string | undefined;
}

/** What recovery looks at, besides the server itself. */
export interface RecoveryFacts {
  /** The annotation, as a person wrote it. */
  readonly request: string | undefined;
  readonly sourceOf: (server: string) => RecoverySource;
  /** Home role of a camera; undefined when there is no such camera. */
  readonly roleOfCamera: (camera: string) => string | undefined;
  /** Recoveries that run and name this server as their source. */
  readonly peers: readonly RecoveryPeer[];
  /** The role that this recorder has lost, by its own word. */
  readonly formerRole: RoleState | undefined;
  /** Recovery of the server that holds that role now. */
  readonly successorRecovery: RecoveryStatus | undefined;
}

/** Names of the servers that take part in a recovery with this one; few or none. */
export function recoveryPartners(stores: Stores, key: string): string[] {
  const server = stores.servers.get(key);
  const namespace = key.slice(0, key.indexOf('/'));
  const source = server?.status?.recovery?.fromServer;
  const holders = stores.servers.byIndex(indexes.recoverySource, key).map(({ metadata }) => metadata.name);
  return [...(source === undefined ? [] : [source]), ...holders].map((name) => `${namespace}/${name}`);
}

/** The word of the very pod that runs now. */
function presentReport(stores: Stores, namespace: string, server: string): RecorderReportStatus | undefined {
  const report = stores.reports.get(`${namespace}/${childNames.report(server)}`)?.status;
  const pod = stores.pods.get(`${namespace}/${childNames.pod(server)}`);
  return report !== undefined && report.podUID === pod?.metadata.uid ? report : undefined;
}

/** An IPv6 address has colons of its own. */
function addressOf(podIP: string): string {
  return `${podIP.includes(':') ? `[${podIP}]` : podIP}:${AGENT_PORT}`;
}

export function gatherRecovery(stores: Stores, { metadata }: RecordingServer): RecoveryFacts {
  const { name, namespace = '' } = metadata;
  const former = presentReport(stores, namespace, name)?.formerRole;
  const formerRole = former && resolveRole(stores, namespace, former.role);
  return {
    request: metadata.annotations?.[labels.request],
    sourceOf: (server) => {
      const podIP = stores.pods.get(`${namespace}/${childNames.pod(server)}`)?.podIP;
      return {
        exists: stores.latestServers.get(`${namespace}/${server}`) !== undefined,
        address: podIP && addressOf(podIP),
        fingerprint: presentReport(stores, namespace, server)?.port?.fingerprint,
      };
    },
    roleOfCamera: (camera) => stores.cameras.get(`${namespace}/${camera}`)?.spec.serverRef.name,
    peers: stores.servers
      .byIndex(indexes.recoverySource, `${namespace}/${name}`)
      .filter(({ status }) => status?.recovery?.state === 'Running')
      .map((peer) => ({
        server: peer.metadata.name,
        role: peer.status?.recovery?.role ?? '',
        fingerprint: presentReport(stores, namespace, peer.metadata.name)?.port?.fingerprint,
      }))
      .sort((a, b) => (a.server < b.server ? -1 : 1)),
    formerRole,
    successorRecovery: formerRole?.holder?.status?.recovery,
  };
}
