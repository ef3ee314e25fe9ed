import { z } from 'zod';

// As long as the report may tell them: with rubbish from a foreign disk the API server would refuse the whole report.
const uid = z.string().max(64);
const marker = z.object({ server: z.string().optional(), serverUID: uid, claimUID: uid });

/** The identity marker of a volume: whose it is. */
export type Identity = z.infer<typeof marker>;

/** What the marker on a volume says about who may record there. */
export type Ownership =
  /** There is no marker: a first start. */
  | { kind: 'unclaimed' }
  | { kind: 'ours'; identity: Identity }
  /** Our claim and our server's name, but the server object was made anew: the marker has to be written again. */
  | { kind: 'renewed'; identity: Identity }
  | { kind: 'foreign'; identity: Identity | undefined };

/** The marker's text: one line, so that the probe compares it byte by byte. */
export function formatIdentity(identity: Identity): string {
  return JSON.stringify({ server: identity.server, serverUID: identity.serverUID, claimUID: identity.claimUID });
}

/**
 * Judges a marker. A volume whose claim or server is another one is never recorded onto, except that footage outlives
 * its RecordingServer object: the same claim under the same server name is ours although the uid of the server changed.
 */
export function judgeOwnership(found: string, own: Identity): Ownership {
  if (found === '') return { kind: 'unclaimed' };
  const identity = parseIdentity(found);
  if (identity === undefined) return { kind: 'foreign', identity };
  if (own.claimUID !== '' && identity.claimUID !== own.claimUID) return { kind: 'foreign', identity };
  if (identity.serverUID === own.serverUID) return { kind: 'ours', identity };
  return identity.server === own.server && own.claimUID !== ''
    ? { kind: 'renewed', identity }
    : { kind: 'foreign', identity };
}

function parseIdentity(text: string): Identity | undefined {
  try {
    const result = marker.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}
