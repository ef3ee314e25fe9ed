import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cameraFolder,
  isSegmentName,
  type Place,
  parsePlaceMarker,
  STAGING_FOLDER,
} from '../../src/recorder/footage/layout.js';

/** A recorded file of one camera. */
export interface Segment {
  readonly path: string;
  /** Server on whose disk it lies. */
  readonly server: string;
  readonly epoch: number;
  /** One start of the recording engine; the same while its segment is open and after. */
  readonly writer: string;
  /** Last write, wall clock in milliseconds. */
  readonly modifiedMs: number;
}

/**
 * The segments of a camera below the root of one disk, written at or after `sinceMs`: the closed ones in their place,
 * and the open ones, which after a power cut are the last that the recorder has left behind.
 */
export async function segmentsOn(
  root: string,
  server: string,
  role: string,
  camera: string,
  sinceMs = 0,
): Promise<Segment[]> {
  // Open ones first: one that is closed in between is then seen twice, which does no harm, instead of never.
  const folders = [...(await openFolders(root, role, camera)), ...(await closedFolders(root, role, camera))];
  const found: Segment[] = [];
  for (const { folder, epoch, writer } of folders) {
    for (const name of (await entriesOf(folder)).filter(isSegmentName)) {
      const path = join(folder, name);
      const modifiedMs = await modifiedOf(path);
      if (modifiedMs !== undefined && modifiedMs >= sinceMs) found.push({ path, server, epoch, writer, modifiedMs });
    }
  }
  return found;
}

interface WriterFolder {
  readonly folder: string;
  readonly epoch: number;
  readonly writer: string;
}

async function closedFolders(root: string, role: string, camera: string): Promise<WriterFolder[]> {
  const folder = join(root, cameraFolder(role, camera));
  return (await entriesOf(folder)).flatMap((name) => {
    const [, epoch, writer] = /^e(\d+)-\d{8}-(.+)$/.exec(name) ?? [];
    return epoch && writer ? [{ folder: join(folder, name), epoch: Number(epoch), writer }] : [];
  });
}

async function openFolders(root: string, role: string, camera: string): Promise<WriterFolder[]> {
  const folder = join(root, STAGING_FOLDER, camera);
  const found: WriterFolder[] = [];
  for (const name of await entriesOf(folder)) {
    const places = (await entriesOf(join(folder, name))).map(parsePlaceMarker);
    const place = newest(places.filter((each) => each?.role === role));
    const writer = /^\d{8}-(.+)$/.exec(name)?.[1];
    if (place && writer) found.push({ folder: join(folder, name), epoch: place.epoch, writer });
  }
  return found;
}

function newest(places: readonly (Place | undefined)[]): Place | undefined {
  return places.reduce((best, place) => ((place?.epoch ?? 0) > (best?.epoch ?? 0) ? place : best), undefined);
}

async function entriesOf(folder: string): Promise<string[]> {
  return (await unlessGone(readdir(folder))) ?? [];
}

async function modifiedOf(path: string): Promise<number | undefined> {
  return (await unlessGone(stat(path)))?.mtimeMs;
}

/** Undefined when retention has removed it, or the recorder has moved it, since its folder was read. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
