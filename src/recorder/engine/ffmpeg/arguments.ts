import type { EngineSource } from '../engine.js';

/** A command line and what goes to standard input. */
export interface FfmpegInvocation {
  readonly args: readonly string[];
  readonly stdin: string | undefined;
}

// First bytes on the disk after 0.5 to 1.2 s, 1.1 to 1.9 s, 2.9 to 3.6 s. The first fails on cameras that send their
// parameter sets with rare key frames only.
const PROBING: readonly (readonly [string, string][])[] = [
  [
    ['analyzeduration', '0'],
    ['probesize', '5000'],
    ['fpsprobesize', '0'],
  ],
  [['fpsprobesize', '0']],
  [],
];

/** Number of ways to probe a stream, from quick to thorough. */
export const PROBING_LEVELS = PROBING.length;

// Frames without a time would be written without one, mostly the first: they get the one that follows from the last.
const TIMED = 'setts=ts=if(eq(PTS\\,NOPTS)\\,NEXT_PTS-DURATION\\,PTS)';

/**
 * The command that records one camera. Every part is needed: wall clock times that survive into the file (copyts on
 * both sides), segments cut at clock times, flushed after every packet, named by UTC.
 */
export function recordingInvocation(source: EngineSource, folder: string, attempt: number): FfmpegInvocation {
  const probing = PROBING[Math.min(attempt, PROBING_LEVELS - 1)] ?? [];
  const input = source.credentials === undefined ? plainInput(source, probing) : secretInput(source, probing);
  // The level stands in each line, so that what is no warning can be told apart: only there it says that it connected.
  const common = ['-nostats', '-hide_banner', '-loglevel', 'level+info'];
  const args = [
    ...common,
    ...input.args,
    '-map',
    '0:v:0',
    ...audioArguments(source),
    ...segmentArguments(source, folder),
  ];
  return { args, stdin: input.stdin };
}

function plainInput(source: EngineSource, probing: readonly [string, string][]): FfmpegInvocation {
  const options = [...connection(source), ...probing].flatMap(([name, value]) => [`-${name}`, value]);
  const args = ['-nostdin', ...options, '-use_wallclock_as_timestamps', '1', '-copyts', '-i', source.url];
  return { args, stdin: undefined };
}

/**
 * A password must not be seen in the list of processes, and ffmpeg takes it in the URL only. So the URL comes by
 * standard input, as a script of the concat demuxer. Times stay right, because the wall clock is taken outside of it;
 * they are one frame late, since the inner demuxer waits for the end of each frame.
 */
function secretInput(source: EngineSource, probing: readonly [string, string][]): FfmpegInvocation {
  const inner = [...connection(source), ...probing].map(([name, value]) => `option ${name} ${value}\n`).join('');
  const outer = probing.flatMap(([name, value]) => [`-${name}`, value]);
  const protocols = 'pipe,rtsp,rtsps,rtp,srtp,tcp,udp,tls,crypto';
  const script = ['-protocol_whitelist', protocols, '-f', 'concat', '-safe', '0', '-auto_convert', '0', '-i', 'pipe:0'];
  return {
    args: [...outer, '-use_wallclock_as_timestamps', '1', '-copyts', ...script],
    stdin: `ffconcat version 1.0\nfile '${urlWithCredentials(source)}'\n${inner}`,
  };
}

/** The URL with user and password in it, percent-encoded. Never to be logged. */
export function urlWithCredentials(source: Pick<EngineSource, 'url' | 'credentials'>): string {
  if (source.credentials === undefined) return source.url;
  const { username, password } = source.credentials;
  const userInfo = `${percentEncoded(username)}:${percentEncoded(password)}`;
  // A quote would end the script's string; in a URL it can be written otherwise.
  return source.url
    .replace(/^([a-z]+:\/\/)/i, `$1${userInfo}@`)
    .replaceAll("'", '%27')
    .replaceAll('\n', '');
}

/** As user and password stand in the URL that ffmpeg gets. Never to be logged. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/['()*!]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function connection(source: EngineSource): [string, string][] {
  return [
    ['rtsp_transport', source.transport.toLowerCase()],
    ['timeout', String(source.connectTimeoutSeconds * 1_000_000)],
  ];
}

function audioArguments(source: EngineSource): string[] {
  return source.audio ? ['-map', '0:a:0?'] : [];
}

/** PCM audio, which cameras send, is unreadable in mpegts: with audio on the container is Matroska. */
function segmentArguments(source: EngineSource, folder: string): string[] {
  const [format, options, extension] = source.audio
    ? ['matroska', 'flush_packets=1:cluster_time_limit=1', 'mkv']
    : ['mpegts', 'flush_packets=1:mpegts_copyts=1', 'ts'];
  return [
    ...['-c', 'copy', '-bsf:v', TIMED, '-f', 'segment'],
    ...['-segment_time', String(source.segmentSeconds), '-segment_atclocktime', '1'],
    ...['-segment_format', format, '-segment_format_options', options],
    ...['-strftime', '1', `${folder.replaceAll('%', '%%')}/%Y%m%dT%H%M%SZ.${extension}`],
  ];
}
