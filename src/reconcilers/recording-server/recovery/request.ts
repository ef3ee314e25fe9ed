/** A person's request to recover footage, as it stands in the annotation. */
export interface RecoveryRequest {
  readonly id: string;
  /** Role or camera. */
  readonly subject: string;
  readonly fromServer: string;
}

/** The sentence that a person reads after a typo. */
export const RECOVERY_GRAMMAR =
  "write '<id> recover <role or camera> from <server>', with an id that was not used before";

const MOST_ID = 64;

/** The id of a request, whatever it asks for; '' for an empty annotation. */
export function requestId(annotation: string): string {
  return (annotation.trim().split(/\s+/)[0] ?? '').slice(0, MOST_ID);
}

/** Undefined for anything that is not a request to recover footage. */
export function recoveryRequest(annotation: string): RecoveryRequest | undefined {
  const [id = '', verb, subject, from, server, ...rest] = annotation.trim().split(/\s+/);
  if (id === '' || id.length > MOST_ID || verb !== 'recover' || from !== 'from' || rest.length > 0) return undefined;
  if (subject === undefined || server === undefined || subject.length > 63 || server.length > 40) return undefined;
  return { id, subject, fromServer: server };
}
