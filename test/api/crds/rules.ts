import { type Example, fullExamples, leastExamples } from './examples.js';

type Spec = Record<string, unknown>;

/** A CEL rule at work: what it refuses, with its very words, and the mended object that passes. */
export interface RuleCase {
  readonly kind: string;
  readonly what: string;
  readonly refused: Example;
  readonly message: string;
  readonly accepted: Example;
}

function least(kind: string): Example {
  const found = leastExamples[kind];
  if (!found) throw new Error(`there is no example of kind ${kind}`);
  return structuredClone(found);
}

const named = (kind: string, name: string): Example => ({ ...least(kind), metadata: { name } });
const withSpec = (kind: string, spec: Spec): Example => {
  const base = least(kind);
  return { ...base, metadata: { name: 'rule' }, spec: { ...base.spec, ...spec } };
};
const camera = (source: Spec): Example => withSpec('CameraAssignment', { source });
const server = (...volumes: Spec[]): Example => withSpec('RecordingServer', { volumes });
const volume = (more: Spec): Spec => ({ name: 'a', mountPath: '/footage/a', claimName: 'disk-a', ...more });
const url = 'rtsp://camera.example/stream1';

const shortName =
  'metadata.name must be a DNS label of at most 40 characters (a-z, 0-9 and -): pods, Leases and Services are named after it';
const plainPath = "mountPath must be a plain absolute path without '..', '//' or a '/' at its end, as in /footage/a";
const imagePath = "mountPath must not hide a directory of the recorder's image; choose one such as /footage/a";
const oneClaim = 'a volume needs exactly one of claimName (an existing claim) and claimTemplate (a claim to be made)';
const noPassword =
  'spec.source.url must not hold a user or password; put them into a Secret and name it in credentialsSecretRef';
const ownEpoch =
  'spec.epoch belongs to reason Failover, which only the operator uses; leave both out for a manual backup';

const schedule =
  "spec.backup.schedule must be a cron expression of five fields (minute hour day month weekday), as in '0 3 * * *', or one of @hourly, @daily, @weekly, @monthly, @yearly";
const endpoint =
  's3.endpoint must be a URL that begins with http:// or https:// and holds no credentials, query or fragment';
const s3 = { bucket: 'baselines', credentialsSecretRef: { name: 's3' } };
const poolBackup = (backup: Spec): Example => withSpec('FailoverPool', { backup });

const badPaths: [string, string][] = [
  ['/footage/../a', plainPath],
  ['/footage//a', plainPath],
  ['/footage/a/', plainPath],
  ['/etc', imagePath],
  ['/usr/share/footage', imagePath],
  ['/app', imagePath],
];

/** Rules for creation; those that compare with the stored object have tests of their own. */
export const ruleCases: readonly RuleCase[] = [
  ...['RecordingServer', 'FailoverPool'].flatMap((kind) => [
    {
      kind,
      what: 'a name of 41 characters',
      refused: named(kind, 'a'.repeat(41)),
      message: shortName,
      accepted: named(kind, 'a'.repeat(40)),
    },
    { kind, what: 'a name with a dot', refused: named(kind, 'a.b'), message: shortName, accepted: named(kind, 'a-b') },
  ]),
  {
    kind: 'RecordingServer',
    what: 'a Standard server whose name begins with a digit',
    refused: named('RecordingServer', '1a'),
    message: 'metadata.name of a Standard server must begin with a letter: the Service of its role has the same name',
    accepted: named('RecordingServer', 'a1'),
  },
  {
    kind: 'RecordingServer',
    what: 'a standby of no pool',
    refused: withSpec('RecordingServer', { type: 'Failover' }),
    message: 'a server of type Failover needs spec.poolRef: name the FailoverPool that it stands by for',
    accepted: withSpec('RecordingServer', { type: 'Failover', poolRef: { name: 'site' } }),
  },
  {
    kind: 'RecordingServer',
    what: 'two volumes at one path',
    refused: server(volume({}), volume({ name: 'b' })),
    message: 'spec.volumes: two volumes have the same mountPath; give each its own',
    accepted: server(volume({}), volume({ name: 'b', mountPath: '/footage/b' })),
  },
  {
    kind: 'RecordingServer',
    what: 'a volume with no claim',
    refused: server({ name: 'a', mountPath: '/footage/a' }),
    message: oneClaim,
    accepted: server(volume({})),
  },
  {
    kind: 'RecordingServer',
    what: 'a volume with two claims',
    refused: server(volume({ claimTemplate: { storage: '1Gi' } })),
    message: oneClaim,
    accepted: server({ name: 'a', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }),
  },
  ...badPaths.map(([mountPath, message]) => ({
    kind: 'RecordingServer',
    what: `a volume at ${mountPath}`,
    refused: server(volume({ mountPath })),
    message,
    accepted: server(volume({ mountPath: '/application' })),
  })),
  {
    kind: 'CameraAssignment',
    what: 'an IP camera without a url',
    refused: camera({ type: 'IP' }),
    message: 'spec.source.url is needed for a camera of type IP, as in rtsp://camera.example/stream1',
    accepted: camera({ type: 'Analog', captureCard: 'card 0' }),
  },
  ...['rtsp://user:secret@camera.example/1', 'rtsps://user@camera.example'].map((withUser) => ({
    kind: 'CameraAssignment',
    what: `credentials in ${withUser.split(':')[0]} url`,
    refused: camera({ url: withUser }),
    message: noPassword,
    // An @ behind the host is no password.
    accepted: camera({ url: `${url}?channel=a@b` }),
  })),
  {
    kind: 'CameraAssignment',
    what: 'a name of 64 characters',
    refused: named('CameraAssignment', 'a'.repeat(64)),
    message: 'metadata.name must be at most 63 characters: a folder on every recorder is named after it',
    accepted: named('CameraAssignment', 'a'.repeat(63)),
  },
  ...['61 * * * *', '0 3 * *', '0 3 * * * *', '@reboot', 'every day', '0 24 * * *', '0 3 32 * *'].map((wrong) => ({
    kind: 'FailoverPool',
    what: `the schedule '${wrong}'`,
    refused: poolBackup({ schedule: wrong }),
    message: schedule,
    accepted: poolBackup({ schedule: '*/15 0-6,22 1,15 JAN-mar mon-fri/2' }),
  })),
  {
    kind: 'FailoverPool',
    what: 'a time zone that is no name',
    refused: poolBackup({ schedule: '@daily', timeZone: 'UTC+1:00' }),
    message: 'spec.backup.timeZone must be a name of the IANA time zone database, as in Europe/Berlin or Etc/UTC',
    accepted: poolBackup({ schedule: '@daily', timeZone: 'America/Argentina/Buenos_Aires' }),
  },
  {
    kind: 'FailoverPool',
    what: 'a time zone without a schedule',
    refused: poolBackup({ timeZone: 'Etc/UTC' }),
    message: 'spec.backup.timeZone belongs to spec.backup.schedule; set the schedule, or leave both out',
    accepted: poolBackup({ timeZone: 'Etc/UTC', schedule: '@hourly' }),
  },
  {
    kind: 'FailoverPool',
    what: 'encryption that Velero would not do',
    refused: withSpec('FailoverPool', { backup: { engine: 'Velero', encryption: { keySecretRef: { name: 'key' } } } }),
    message:
      'spec.backup.engine is Velero, which writes its bucket by itself and not with the key of spec.backup.encryption: leave encryption out and encrypt the bucket, or use engine S3',
    accepted: withSpec('FailoverPool', { backup: { engine: 'Velero', velero: { storageLocation: 'main' } } }),
  },
  {
    kind: 'FailoverPool',
    what: 'the engine S3 without a bucket',
    refused: poolBackup({ engine: 'S3' }),
    message:
      'spec.backup.engine is S3, and spec.backup.s3 is missing: give it a bucket and a credentialsSecretRef, or use engine Secret',
    accepted: poolBackup({ engine: 'S3', s3 }),
  },
  ...['ftp://s3.example', 's3.example:9000', 'https://me:geheim@s3.example', 'https://s3.example/?a=b'].map(
    (wrong) => ({
      kind: 'FailoverPool',
      what: `the endpoint ${wrong}`,
      refused: poolBackup({ engine: 'S3', s3: { ...s3, endpoint: wrong } }),
      message: endpoint,
      accepted: poolBackup({ engine: 'S3', s3: { ...s3, endpoint: 'https://s3.example:9000/under/here' } }),
    }),
  ),
  {
    kind: 'Backup',
    what: 'a name of 64 characters',
    refused: named('Backup', 'a'.repeat(64)),
    message: 'metadata.name must be at most 63 characters: a label on the Secrets of the baseline carries it',
    accepted: named('Backup', 'a'.repeat(63)),
  },
  {
    kind: 'Backup',
    what: 'a manual backup with an epoch',
    refused: withSpec('Backup', { epoch: 3 }),
    message: ownEpoch,
    accepted: withSpec('Backup', { reason: 'Manual' }),
  },
  {
    kind: 'Backup',
    what: 'a backup of a failover without an epoch',
    refused: withSpec('Backup', { reason: 'Failover' }),
    message: ownEpoch,
    accepted: withSpec('Backup', { reason: 'Failover', epoch: 3 }),
  },
];

/** A status write that only a stale writer would do. */
export interface StaleWrite {
  readonly kind: string;
  readonly what: string;
  /** Merge patch of the stored full example's status. */
  readonly patch: Record<string, unknown>;
  readonly message: string;
}

const fell = 'status.epoch must not fall: a newer decision has been written; read the object again before writing';
const roleFell = 'a role must not go back to an older epoch: a newer decision has been written; read the pool again';
const bindingFell =
  'status.boundTo.epoch must not fall within a role: a newer binding has been written; read the camera again';

function statusOf(kind: string): Record<string, unknown> {
  return structuredClone(fullExamples[kind]?.status ?? {});
}

const [role] = statusOf('FailoverPool').roles as Record<string, unknown>[];
const { epoch: _epoch, ...roleWithoutEpoch } = role ?? {};

/** Each is refused by the API server itself, after the full example (epoch 3) has been stored. */
export const staleWrites: readonly StaleWrite[] = [
  ...['RecordingServer', 'FailoverPool', 'RecorderReport'].flatMap((kind) => [
    { kind, what: 'a lower status.epoch', patch: { status: { epoch: 2 } }, message: fell },
    { kind, what: 'a status without its epoch', patch: { status: { epoch: null } }, message: fell },
    { kind, what: 'no status at all', patch: { status: null }, message: fell },
  ]),
  {
    kind: 'FailoverPool',
    what: 'a role with a lower epoch',
    patch: { status: { roles: [{ ...role, epoch: 2 }] } },
    message: roleFell,
  },
  {
    kind: 'FailoverPool',
    what: 'a role without its epoch',
    patch: { status: { roles: [roleWithoutEpoch] } },
    message: 'status.roles[0].epoch: Required value',
  },
  {
    kind: 'CameraAssignment',
    what: 'a binding with a lower epoch',
    patch: { status: { boundTo: { epoch: 2 } } },
    message: bindingFell,
  },
  {
    kind: 'CameraAssignment',
    what: 'a binding without its epoch',
    patch: { status: { boundTo: { epoch: null } } },
    message: 'status.boundTo.epoch: Required value',
  },
];

/** The same writes as a writer that is up to date would do them. */
export const freshWrites: readonly Omit<StaleWrite, 'message'>[] = [
  ...['RecordingServer', 'FailoverPool', 'RecorderReport'].flatMap((kind) => [
    { kind, what: 'the same status.epoch', patch: { status: { epoch: 3 } } },
    { kind, what: 'a higher status.epoch', patch: { status: { epoch: 4 } } },
  ]),
  {
    kind: 'FailoverPool',
    what: 'a role with a higher epoch',
    patch: { status: { epoch: 4, roles: [{ ...role, epoch: 4 }] } },
  },
  { kind: 'CameraAssignment', what: 'a binding with a higher epoch', patch: { status: { boundTo: { epoch: 4 } } } },
  { kind: 'CameraAssignment', what: 'an unbound camera', patch: { status: { boundTo: null } } },
];

/** Words of rules that only apply to a change; see staleWrites and the test of the immutable spec. */
export const changeMessages = [
  fell,
  roleFell,
  bindingFell,
  'spec of a Backup is immutable; create another Backup instead',
];
