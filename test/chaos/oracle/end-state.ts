import {
  backups,
  cameraAssignments,
  failoverPools,
  recorderReports,
  recordingServers,
} from '../../../src/crds/index.js';
import { type KubeClient, type KubeObject, type ResourceType, resources } from '../../../src/operator/index.js';
import { leaderLease } from '../operator/replica.js';

/** All that the operator writes, and what others write on its behalf. Events are told, not kept. */
const kinds: readonly ResourceType[] = [
  recordingServers,
  failoverPools,
  cameraAssignments,
  backups,
  recorderReports,
  resources.pods,
  resources.leases,
  resources.services,
  resources.serviceAccounts,
  resources.roles,
  resources.roleBindings,
  resources.podDisruptionBudgets,
  resources.persistentVolumeClaims,
  resources.secrets,
];

/** Objects by 'Kind/name', without what two equal runs differ in. */
export type EndState = ReadonlyMap<string, unknown>;

/** `ignored`: fields that the caller's case may change, by name. */
export async function readEndState(
  client: KubeClient,
  namespace: string,
  ignored: readonly string[] = [],
): Promise<EndState> {
  const found = await Promise.all(
    kinds.map(async (type) => {
      const { items } = await client.list(type, { namespace });
      return items.map((object) => ({ type, object }));
    }),
  );
  const ours = found.flat().filter(({ object }) => !isClustersOwn(object.metadata.name));
  const uids = new Map(ours.map(({ type, object }) => [object.metadata.uid ?? '', keyOf(type, object)]));
  const mask: Mask = { namespace, uids, ignored: new Set([...chance, ...ignored]) };
  return new Map(ours.map(({ type, object }) => [keyOf(type, object), normalised(type, object, mask)]));
}

function keyOf(type: ResourceType, object: KubeObject): string {
  return `${type.kind}/${object.metadata.name}`;
}

function isClustersOwn(name: string): boolean {
  return name === 'default' || name === leaderLease;
}

interface Mask {
  readonly namespace: string;
  /** 'Kind/name' by uid. */
  readonly uids: ReadonlyMap<string, string>;
  /** Names of fields. */
  readonly ignored: ReadonlySet<string>;
}

function normalised(type: ResourceType, object: KubeObject, mask: Mask): unknown {
  const { name, labels, annotations, ownerReferences, deletionTimestamp } = object.metadata;
  const owners = ownerReferences?.map(({ kind, name: owner, controller }) => `${kind}/${owner} ${controller === true}`);
  const { metadata: _metadata, apiVersion: _version, kind: _kind, ...content } = object as unknown as Content;
  return masked(
    {
      metadata: { name, labels, annotations, owners: owners?.sort(), deleting: deletionTimestamp !== undefined },
      ...contentOf(type, content),
    },
    mask,
  );
}

type Content = Record<string, unknown> & { status?: unknown; data?: object; spec?: Record<string, unknown> };

/** Kinds whose status is written by Kubernetes itself, in its own time. */
const foreignStatus: ReadonlySet<string> = new Set([
  resources.services.kind,
  resources.podDisruptionBudgets.kind,
  resources.persistentVolumeClaims.kind,
]);

function contentOf(type: ResourceType, content: Content): Content {
  if (type === resources.secrets) return { ...content, data: Object.keys(content.data ?? {}).sort() };
  if (!foreignStatus.has(type.kind)) return content;
  const { status: _status, ...rest } = content;
  return rest;
}

/** Fields that are chance: addresses that the cluster deals out, and sizes of what holds times. */
const chance: ReadonlySet<string> = new Set([
  ...['clusterIP', 'clusterIPs', 'nodePort', 'bytes', 'uncompressedBytes', 'sha256'],
  // The same as an annotation of the Secrets.
  'understudy.dev/uncompressed-bytes',
  // Whether the pool looks between the last binding and the end of the takeover is a matter of milliseconds.
  'boundTime',
  // Measured time: whether a second was missed, and by what, is a matter of the machine. The ledger has its own tests.
  ...['gaps', 'gapSeconds', 'gapSecondsTotal', 'camerasWithGap'],
  // A successor that has not seen the last heartbeat itself does not know it.
  'lastSeenTime',
  // In the words of whoever saw it: a successor has seen another silence.
  'evidence',
  // What a baseline shows beyond its own takeover depends on how long it took.
  'poolEpoch',
]);

function masked(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return maskedText(value, mask);
  if (Array.isArray(value)) return value.map((item) => masked(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name, child]) => child !== undefined && !mask.ignored.has(name));
  return Object.fromEntries(entries.sort(byName).map(([name, child]) => [name, masked(inOrder(name, child), mask)]));
}

/** Lists that are maps by name or type: which entry came first says nothing. */
const unordered: ReadonlySet<string> = new Set(['roles', 'conditions']);

function inOrder(name: string, value: unknown): unknown {
  if (!unordered.has(name) || !Array.isArray(value)) return value;
  const keyed = value
    // Whether roles moved while a baseline was made is a matter of milliseconds, too.
    .filter(({ type }: { type?: string }) => type !== 'Stale')
    .map((item: { type?: string; name?: string }) => [item.type ?? item.name ?? '', item] as const);
  return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const seconds = /\b\d+(\.\d+)? (s|ms)\b/g;
/** A template's hash holds the uid of its claims. */
const hash = /\b[0-9a-f]{16,64}\b/g;
const tokenVolume = /kube-api-access-\w+/g;

function maskedText(text: string, { namespace, uids }: Mask): string {
  return text
    .replaceAll(namespace, '<namespace>')
    .replace(time, '<time>')
    .replace(uuid, (uid) => `<uid of ${uids.get(uid) ?? 'something gone'}>`)
    .replace(seconds, '<duration>')
    .replace(hash, '<hash>')
    .replace(tokenVolume, '<token>');
}
