import { redactSecrets } from '../../../operator/log.js';
import type { Credentials, Failure, FailureKind } from '../engine.js';
import { percentEncoded } from './arguments.js';

// First match wins. ffmpeg's exit code says little: a camera that closes, dies or falls silent gives 0.
const TEXTS: readonly (readonly [FailureKind, RegExp])[] = [
  ['unauthorized', /\b(401 Unauthorized|403 Forbidden|authorization failed)/i],
  ['sessionLimit', /\b(453|503) |Not Enough Bandwidth|Service Unavailable|Too Many/i],
  ['notFound', /\b404 Not Found|Server returned 404/i],
  ['refused', /Connection refused/i],
  [
    'unreachable',
    /No route to host|Network is unreachable|Connection timed out|Failed to resolve|Name or service not/i,
  ],
  [
    'storage',
    /No space left|Read-only file system|Stale file handle|Disk quota|Failed to open segment|av_interleaved/i,
  ],
  [
    'engine',
    /Unrecognized option|Option .* not found|Unknown (muxer|demuxer|input format)|error while loading shared/i,
  ],
  ['engine', /Requested output format|bitstream filter .* not found|Error parsing options|Unable to parse option/i],
  [
    'format',
    /Could not find codec parameters|dimensions not set|no startcode found|matches no streams|not enough frames/i,
  ],
];

const SENTENCES: Record<FailureKind, string> = {
  unauthorized: 'the camera refuses the login; check the Secret named in spec.source.credentialsSecretRef',
  sessionLimit: 'the camera has no free session',
  refused: 'the camera refuses the connection',
  notFound: 'the camera does not know this path; check spec.source.url',
  unreachable: 'the camera does not answer',
  ended: 'the camera ended the stream',
  format: "the stream's format was not understood",
  credentials: "the camera's Secret can't be read",
  storage: 'the footage volume refused the segment',
  engine: 'the recording engine failed',
};

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly livedMs: number;
  /** Error of the start itself. */
  readonly spawnError?: string | undefined;
}

// An engine that dies by a signal of its own so soon has crashed, not lost its camera.
const CRASH_SIGNALS: readonly NodeJS.Signals[] = ['SIGSEGV', 'SIGILL', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSYS'];

/** Says in one sentence, without credentials, why an ffmpeg process ended. */
export function failureOf(end: ProcessEnd, credentials: Credentials | undefined): Failure {
  const kind = kindOf(end);
  const words = cleaned(end, credentials);
  return { kind, message: words === '' ? SENTENCES[kind] : `${SENTENCES[kind]}: ${words}` };
}

function kindOf(end: ProcessEnd): FailureKind {
  if (end.spawnError !== undefined || end.code === 126 || end.code === 127) return 'engine';
  if (end.signal !== null && CRASH_SIGNALS.includes(end.signal)) return 'engine';
  // ffmpeg never fails without a word: something else was started in its stead.
  if (end.code !== 0 && end.signal === null && end.stderr.trim() === '') return 'engine';
  const match = TEXTS.find(([, pattern]) => pattern.test(end.stderr));
  // The probing's warning also comes with streams that are then recorded: it counts only for an early end.
  if (match !== undefined) return match[0] === 'format' && end.livedMs > 20_000 ? 'ended' : match[0];
  return 'ended';
}

function cleaned(end: ProcessEnd, credentials: Credentials | undefined): string {
  const line = end.spawnError ?? end.stderr.trim().split('\n').at(-1) ?? '';
  let text = redactSecrets(line.replace(/^\[[^\]]*\] */, ''));
  const password = credentials?.password ?? '';
  for (const secret of [password, encodeURIComponent(password), percentEncoded(password)]) {
    if (secret.length > 0) text = text.replaceAll(secret, '[redacted]');
  }
  return text.slice(0, 160);
}
