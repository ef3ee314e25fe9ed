import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { askPeer, bodyOf, type Peer, PeerError } from '../port/agent-client.js';
import type { PortIdentity } from '../port/certificate.js';
import type { RateLimit } from './rate-limit.js';
import { checkedName, type SegmentInfo, type SegmentName } from './segment-name.js';
import { ChecksumError, type SegmentStore, type StoreVolume } from './segment-store.js';

const MOST_LIST_BYTES = 32 * 1024 * 1024;
/** A segment that arrives damaged so often is damaged at its source or on its way. */
const MOST_ATTEMPTS = 3;

const listed = z.object({
  segments: z
    .array(
      z.object({
        folder: z.string(),
        file: z.string(),
        bytes: z.int().min(0),
        startMs: z.number(),
        endMs: z.number(),
      }),
    )
    .max(300_000),
});

/** The other recorder, and who asks. */
export interface Source {
  readonly peer: Peer;
  readonly identity: PortIdentity;
}

/** The camera's segments that overlap a time, by the other recorder's word; names that are none are left out. */
export async function listSegments(
  { peer, identity }: Source,
  { role, camera }: { readonly role: string; readonly camera: string },
  { startTime, endTime }: { readonly startTime: string; readonly endTime: string },
): Promise<SegmentInfo[]> {
  const query = new URLSearchParams({ from: startTime, to: endTime });
  const answer = await askPeer(peer, identity, `/segments/${role}/${camera}?${query}`);
  const { segments } = listed.parse(JSON.parse(await bodyOf(answer, MOST_LIST_BYTES)));
  return segments.filter(({ folder, file }) => checkedName(role, camera, folder, file) !== undefined);
}

/** What one fetch needs. */
export interface Fetch {
  readonly source: Source;
  readonly store: SegmentStore;
  readonly volume: StoreVolume;
  readonly limit: RateLimit;
  readonly signal: AbortSignal;
}

async function* limited(answer: IncomingMessage, { limit, signal }: Fetch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) {
      // Not read on while it waits: TCP holds the source to the same rate.
      await limit.take((chunk as Buffer).length, signal);
      yield chunk as Buffer;
    }
  } finally {
    answer.destroy();
  }
}

/**
 * Fetches one segment: goes on where an earlier attempt ended, verifies the whole by its checksum, and only then puts it
 * into its place. Resolves to the bytes that were fetched; 'gone' when the source has it no more. The source is only
 * ever read. Rejects when it should be tried again later; a ChecksumError says that trying did not help.
 */
export async function fetchSegment(fetch: Fetch, name: SegmentName, endMs: number): Promise<number | 'gone'> {
  const { source, store, volume } = fetch;
  const path = `/segments/${name.role}/${name.camera}/${name.folder}/${name.file}`;
  let bytes = 0;
  for (let attempt = 1; ; attempt += 1) {
    const known = await store.look(volume, name);
    if (known === 'there') return bytes;
    try {
      const headers = known > 0 ? { Range: `bytes=${known}-` } : undefined;
      const answer = await askPeer(source.peer, source.identity, path, headers);
      const sha256 = /^"([0-9a-f]{64})"$/.exec(answer.headers.etag ?? '')?.[1] ?? '';
      await store.append(volume, name, limited(answer, fetch), answer.statusCode !== 206);
      bytes += Number(answer.headers['content-length'] ?? 0);
      await store.finish(volume, name, sha256, endMs);
      return bytes;
    } catch (error) {
      if (error instanceof PeerError && error.code === 404) return 'gone';
      // What had arrived does not belong to the file that is there now: begun anew, the checksum decides.
      const damaged = error instanceof ChecksumError || (error instanceof PeerError && error.code === 416);
      if (!damaged || attempt >= MOST_ATTEMPTS) throw error;
      if (error instanceof PeerError) await store.clean(volume);
    }
  }
}
