import { type DestinationStream, type LevelWithSilent, type Logger, pino } from 'pino';

export type Log = Logger;

// Up to the last '@' before a slash: a password may hold one that nobody has encoded.
const urlCredentials = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'\\]+@/gi;
const urlSecretParameters = /([?&](?:password|passwd|pwd|pass|token|secret|access_token|auth)=)[^&\s"'\\]+/gi;
const bearerTokens = /\b(Bearer|Basic) +[A-Za-z0-9\-._~+/]{8,}=*/gi;
const jsonWebTokens = /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g;
const secretFields =
  /("(?:password|passwd|pwd|token|secret|authorization|apiKey|clientSecret|credentials)":)(?:"(?:[^"\\]|\\.)*"|\d+)/gi;

/**
 * Takes credentials out of text: those in URLs (camera URLs carry user and password), bearer tokens, JSON web tokens,
 * and fields named like secrets in JSON.
 */
export function redactSecrets(text: string): string {
  return text
    .replace(secretFields, '$1"[redacted]"')
    .replace(urlCredentials, '$1[redacted]@')
    .replace(urlSecretParameters, '$1[redacted]')
    .replace(bearerTokens, '$1 [redacted]')
    .replace(jsonWebTokens, '[redacted]');
}

export interface LogOptions {
  /** The `name` of every line. */
  name: string;
  /** Default 'info'. */
  level?: LevelWithSilent | undefined;
  /** Default: standard output. */
  destination?: DestinationStream | undefined;
}

/**
 * A pino log, one JSON line an entry. Redaction works on the finished line, because a secret also hides in places that
 * pino's redaction paths do not reach: the message, an error's stack, a nested cause.
 */
export function createLog(options: LogOptions): Log {
  const destination = options.destination ?? pino.destination({ fd: 1, sync: true });
  return pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => destination.write(redactSecrets(line)) },
  );
}

/** A log that writes nothing. */
export const silentLog: Log = pino({ level: 'silent' });
