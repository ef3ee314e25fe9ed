import { createHash } from 'node:crypto';
import type {
  CameraAssignment,
  CameraAssignmentSpec,
  FailoverPool,
  FailoverPoolSpec,
  Metadata,
  RecordingServer,
  RecordingServerSpec,
  Role,
} from '../crds/index.js';
import { labels } from '../crds/labels.js';
import { type BaselineHead, canonicalTexts, type PackedBaseline, packBaseline } from './packing.js';

/** What the file is; the first thing a reader checks. */
export const BASELINE_FORMAT = 'understudy.dev/baseline';
/** Raised when an older reader would misunderstand the file. */
export const BASELINE_FORMAT_VERSION = 1;

interface Described {
  readonly name: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

/** A role as it stands; without uids, which mean nothing in a system that is stood up again. */
export type BaselineRole = Omit<Role, 'holderUID' | 'homeUID'>;

export interface BaselinePool extends Described {
  readonly spec: FailoverPoolSpec;
  readonly epoch: number;
  readonly roles: readonly BaselineRole[];
}

export interface BaselineServer extends Described {
  /** Recorder settings, volumes and plugins among it. */
  readonly spec: RecordingServerSpec;
  readonly assignment?: { readonly role: string; readonly epoch: number };
}

export interface BaselineCamera extends Described {
  readonly spec: CameraAssignmentSpec;
  readonly boundTo?: {
    readonly role: string;
    readonly server: string;
    readonly epoch: number;
    readonly startTime: string;
  };
}

/** The contents of a Secret, as its object holds them. */
export interface BaselineSecret {
  readonly name: string;
  readonly type?: string;
  /** base64. */
  readonly data: Readonly<Record<string, string>>;
}

/**
 * A system baseline (rule 12): what it takes to stand the recording system of one pool up again. It names Secrets and
 * holds their contents only when it is encrypted and the pool asks for it; it holds no footage.
 */
export interface Baseline {
  readonly format: typeof BASELINE_FORMAT;
  readonly formatVersion: number;
  readonly operatorVersion: string;
  readonly namespace: string;
  readonly pool: BaselinePool;
  /** By name. */
  readonly servers: readonly BaselineServer[];
  /** By name. */
  readonly cameras: readonly BaselineCamera[];
  /** Names of the Secrets that cameras and pods refer to. */
  readonly secrets: readonly string[];
  /** By name. Only in encrypted baselines with `encryption.includeSecrets`; those that were not there are missing. */
  readonly secretContents?: readonly BaselineSecret[];
}

/** What a baseline is made from, cameras excepted. The order does not matter. */
export interface HeadSources {
  readonly operatorVersion: string;
  readonly namespace: string;
  readonly pool: FailoverPool;
  readonly servers: readonly RecordingServer[];
  readonly secretContents?: readonly BaselineSecret[] | undefined;
}

/** What a baseline is made from. The order does not matter. */
export interface BaselineSources extends HeadSources {
  readonly cameras: readonly BaselineCamera[];
}

/** A baseline as bytes, its whole JSON among them: for small ones, and for tools. */
export interface EncodedBaseline extends PackedBaseline {
  readonly json: Buffer;
}

/** Puts a baseline together. Equal states yield equal baselines: nothing in it depends on when or how often it is made. */
export function collectBaseline(sources: BaselineSources): Baseline {
  const cameras = [...sources.cameras].sort(byName);
  const logins = cameras.flatMap((camera) => camera.spec.source.credentialsSecretRef?.name ?? []);
  return { ...baselineHead(sources, logins), cameras };
}

/** All of a baseline but its cameras. `logins`: names of their Secrets, in any order and number. */
export function baselineHead(sources: HeadSources, logins: Iterable<string>): BaselineHead {
  const servers = sources.servers.map(baselineServer).sort(byName);
  return {
    format: BASELINE_FORMAT,
    formatVersion: BASELINE_FORMAT_VERSION,
    operatorVersion: sources.operatorVersion,
    namespace: sources.namespace,
    pool: baselinePool(sources.pool),
    servers,
    secrets: secretNames(servers, logins),
    ...(sources.secretContents ? { secretContents: [...sources.secretContents].sort(byName) } : {}),
  };
}

/**
 * What the baseline keeps of a camera: no conditions, no statistics, no resourceVersion. Its gaps are statistics: they
 * change while nothing is configured, and a system that is stood up again has not had them.
 */
export function baselineCamera({ metadata, spec, status }: CameraAssignment): BaselineCamera {
  const bound = status?.boundTo;
  return {
    ...described(metadata),
    spec,
    ...(bound
      ? { boundTo: { role: bound.role, server: bound.server, epoch: bound.epoch, startTime: bound.startTime } }
      : {}),
  };
}

/** The canonical bytes of a baseline and their checksum. */
export async function encodeBaseline(baseline: Baseline): Promise<EncodedBaseline> {
  const { cameras, ...head } = baseline;
  const pieces: Buffer[] = [];
  const packed = await packBaseline(head, canonicalTexts(cameras), (piece) => pieces.push(piece));
  return { ...packed, json: Buffer.concat(pieces) };
}

/** Reads what `encodeBaseline` wrote. Throws an Error that names the mend for anything else. */
export function decodeBaseline(json: Buffer): Baseline {
  const value = JSON.parse(json.toString()) as Partial<Baseline>;
  if (value.format !== BASELINE_FORMAT) {
    throw new Error(`this is no baseline: its format is ${String(value.format)}, not ${BASELINE_FORMAT}`);
  }
  if (value.formatVersion !== BASELINE_FORMAT_VERSION) {
    throw new Error(
      `the baseline is of format version ${String(value.formatVersion)} and this version reads ` +
        `${BASELINE_FORMAT_VERSION}; use the version that wrote it (${String(value.operatorVersion)})`,
    );
  }
  return value as Baseline;
}

/** Hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function baselinePool({ metadata, spec, status }: FailoverPool): BaselinePool {
  const roles = (status?.roles ?? []).map(({ holderUID: _holder, homeUID: _home, ...role }) => role);
  return { ...described(metadata), spec, epoch: status?.epoch ?? 0, roles: roles.sort(byName) };
}

function baselineServer({ metadata, spec, status }: RecordingServer): BaselineServer {
  return {
    ...described(metadata),
    spec,
    ...(status?.epoch === undefined ? {} : { assignment: { role: status.servingRole ?? '', epoch: status.epoch } }),
  };
}

/**
 * kubectl's copy of the whole object would double its size, and is stale as soon as another tool writes. A person's
 * command is no part of a system: stood up again, it must not be carried out again.
 */
const dropped = new Set(['kubectl.kubernetes.io/last-applied-configuration', labels.request]);

function described({ name, labels, annotations }: Metadata): Described {
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !dropped.has(key));
  return {
    name,
    ...(labels && Object.keys(labels).length > 0 ? { labels } : {}),
    ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}),
  };
}

function secretNames(servers: readonly BaselineServer[], logins: Iterable<string>): string[] {
  const pulls = servers.flatMap((server) => server.spec.podTemplate?.imagePullSecrets?.map((ref) => ref.name) ?? []);
  return [...new Set([...logins, ...pulls])].sort();
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
