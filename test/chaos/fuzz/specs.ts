import { allKinds, rootSchema, type SchemaNode } from '../../../src/crds/generate/index.js';
import { type FieldPath, type Generator, generate, type Maker, pick, word } from './generate.js';

/** Names in a namespace under fuzzing. */
export const names = { server: 'subject', pool: 'site', camera: 'gate' } as const;
/** Claims that are there for `claimName`. */
export const givenClaims = ['given-0', 'given-1', 'given-2'] as const;

/** The spec's schema of a kind, as the CRD has it. */
export function specSchema(kind: string): SchemaNode {
  const definition = allKinds.find((one) => one.kind === kind);
  const spec = definition && rootSchema(definition).properties?.spec;
  if (spec === undefined) throw new Error(`there is no kind ${kind} with a spec`);
  return spec;
}

const quantities: Maker = (random) => ({ cpu: pick(['50m', '1'], random), memory: pick(['64Mi', '1Gi'], random) });
const free: Maker = (random) => pick(['', ' ', 'a b', 'ä', '/', '..', '-', 'true', '0', 'x'.repeat(60)], random);

/** What keeps a spec in one piece: references that lead somewhere, and what CEL asks for across fields. */
const whole: Readonly<Record<FieldPath, Maker>> = {
  'spec.poolRef': () => ({ name: names.pool }),
  'spec.serverRef': () => ({ name: names.server }),
  // A server that is to be a standby has a pool, and so has this one.
  'spec.volumes': (random) => volumesOf(random),
  'spec.source.url': (random) => `rtsp://camera.example/${word(random)}`,
  'spec.source.type': (random) => pick(['IP', 'IP', 'Analog'], random),
  // None that comes due in the middle of a case.
  'spec.backup.schedule': (random) => pick(['0 0 1 1 *', '@yearly', '30 2 1 jan *'], random),
  'spec.backup.s3.endpoint': (random) => `https://${word(random)}.example`,
  'spec.backup.timeZone': (random) => pick(['Etc/UTC', 'Europe/Berlin', 'Asia/Kolkata'], random),
};

/** As many volumes as chance will have, of either sort, each with its own path. */
function volumesOf(random: () => number): unknown[] {
  const count = 1 + Math.floor(random() * givenClaims.length);
  return givenClaims.slice(0, count).map((claimName, index) => {
    const name = `v${index}`;
    const mountPath = `/footage/${word(random)}`;
    if (random() < 0.4) return { name, mountPath, claimName };
    // A template changes nothing of a claim that is there, so its size is the same each time.
    return { name, mountPath, claimTemplate: { storage: '1Gi' } };
  });
}

/** What Kubernetes asks of pods and Services beyond our schema. */
const fit: Readonly<Record<FieldPath, Maker>> = {
  ...whole,
  'spec.podTemplate.image': (random) => `registry.example/${word(random)}:1`,
  'spec.podTemplate.imagePullSecrets[].name': (random) => word(random),
  'spec.podTemplate.tolerations[]': (random) => ({
    key: word(random),
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: Math.floor(random() * 1_000),
  }),
  'spec.podTemplate.resources.requests': quantities,
  'spec.podTemplate.resources.limits': () => ({ cpu: '2', memory: '2Gi' }),
  'spec.podTemplate.priorityClassName': () => 'system-cluster-critical',
  'spec.podTemplate.runtimeClassName': () => undefined,
  // 'None' needs a dnsConfig, which our template does not have.
  'spec.podTemplate.dnsPolicy': (random) => pick(['ClusterFirst', 'ClusterFirstWithHostNet', 'Default'], random),
  // The API server takes no id beyond 2^31-1.
  'spec.podTemplate.securityContext.runAsUser': (random) => 1 + Math.floor(random() * 60_000),
  'spec.podTemplate.securityContext.runAsGroup': (random) => 1 + Math.floor(random() * 60_000),
  'spec.podTemplate.securityContext.fsGroup': (random) => 1 + Math.floor(random() * 60_000),
  'spec.source.credentialsSecretRef': (random) => ({ name: word(random) }),
};

/** What the schema lets pass and Kubernetes may not: it must be said on the object. */
const odd: Readonly<Record<FieldPath, Maker>> = {
  ...whole,
  'spec.podTemplate.labels{}': free,
  'spec.podTemplate.nodeSelector{}': free,
  'spec.podTemplate.annotations{}': free,
  'spec.podTemplate.image': (random) => pick([' ', 'UPPER/Case', 'a b', 'x@sha256:1', word(random)], random),
  'spec.podTemplate.resources.requests': (random) => ({
    [pick(['cpu', 'gpu', 'x y'], random)]: pick(['1', 'much'], random),
  }),
  'spec.serviceTemplate.labels{}': free,
  'spec.source.credentialsSecretRef': (random) => ({ name: pick(['UPPER', 'a/b', word(random)], random) }),
  'spec.poolRef': (random) => ({ name: pick([names.pool, 'missing', 'Not A Name'], random) }),
};

export type Manner = 'fit' | 'odd';

/** The specs of one state of the namespace. */
export interface DesiredState {
  readonly server: Record<string, unknown>;
  readonly pool: Record<string, unknown>;
  readonly camera: Record<string, unknown>;
}

export function desiredState(manner: Manner, random: () => number): DesiredState {
  const generator: Generator = { random, makers: manner === 'fit' ? fit : odd };
  const spec = (kind: string) => generate(specSchema(kind), 'spec', generator) as Record<string, unknown>;
  const server = spec('RecordingServer');
  const camera = spec('CameraAssignment');
  return { server: mended(server), pool: mendedPool(spec('FailoverPool')), camera: mendedCamera(camera) };
}

/** CEL: a server of type Failover needs a pool. */
function mended(spec: Record<string, unknown>): Record<string, unknown> {
  return spec.type === 'Failover' && spec.poolRef === undefined ? { ...spec, poolRef: { name: names.pool } } : spec;
}

/** CEL: a time zone belongs to a schedule, the engine S3 needs a bucket, and Velero encrypts by itself. */
function mendedPool(spec: Record<string, unknown>): Record<string, unknown> {
  if (spec.backup === undefined) return spec;
  const { timeZone, encryption, ...backup } = spec.backup as Record<string, unknown>;
  const zone = timeZone === undefined || backup.schedule === undefined ? {} : { timeZone };
  const bucket = backup.engine === 'S3' && backup.s3 === undefined ? { s3: givenBucket } : {};
  const key = encryption === undefined || backup.engine === 'Velero' ? {} : { encryption };
  return { ...spec, backup: { ...backup, ...zone, ...bucket, ...key } };
}

const givenBucket = { bucket: 'baselines', credentialsSecretRef: { name: 'login' } };

/** CEL: a camera of type IP needs a URL. */
function mendedCamera(spec: Record<string, unknown>): Record<string, unknown> {
  const source = spec.source as Record<string, unknown>;
  return source.url === undefined ? { ...spec, source: { ...source, url: 'rtsp://camera.example/one' } } : spec;
}
