/** Where footage lies on a volume. All paths are relative to the mount path. */

/** Folder of what is the recorder's own. */
export const OWN_FOLDER = '.understudy';
/** Segments that are open or not yet in their place. */
export const STAGING_FOLDER = `${OWN_FOLDER}/staging`;
/** Last assignment, written by the agent for its own next start. */
export const ASSIGNMENT_FILE = `${OWN_FOLDER}/assignment.json`;

/** The role and epoch that a segment belongs to: decided when it is closed or promoted, not when it is begun. */
export interface Place {
  readonly role: string;
  readonly epoch: number;
}

/**
 * Folder into which one engine process writes. Every start of an engine has its own, because the segment muxer
 * overwrites files of the same second without a word.
 */
export function stagingFolder(camera: string, writer: string): string {
  return `${STAGING_FOLDER}/${camera}/${writer}`;
}

/**
 * Name of the empty file beside open segments that says where they belong, should the recorder die. The name alone
 * carries it, because an entry of a folder survives a power cut together with the next synced segment, and the content
 * of a file would need a sync of its own before the first frame.
 */
export function placeMarker(place: Place): string {
  return `e${place.epoch}.${place.role}`;
}

/** The inverse of `placeMarker`; undefined for any other file. */
export function parsePlaceMarker(name: string): Place | undefined {
  const match = /^e(\d+)\.([a-z0-9][-a-z0-9]*)$/.exec(name);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { epoch: Number(match[1]), role: match[2] };
}

/**
 * A new writer's name: the day of its start and a random part. The day lets retention tell old folders by their names,
 * where looking at millions of files would cost minutes.
 */
export function writerName(now: Date, random: string): string {
  return `${now.toISOString().slice(0, 10).replaceAll('-', '')}-${random}`;
}

/** Folder of a camera's footage under a role. */
export function cameraFolder(role: string, camera: string): string {
  return `${role}/${camera}`;
}

/** Final folder of a closed segment: the writer's, under the day on which the segment was begun. */
export function finalFolder(place: Place, camera: string, writer: string, segment: string): string {
  const day = segment.slice(0, 8);
  return `${cameraFolder(place.role, camera)}/e${place.epoch}-${day}${writer.slice(8)}`;
}

/** The day in the name of a final folder, as YYYYMMDD; undefined for a folder that is not ours. */
export function folderDay(folder: string): string | undefined {
  return /^e\d+-(\d{8})-/.exec(folder)?.[1];
}

/** Whether a file is a segment: named after the UTC second of its start. */
export function isSegmentName(name: string): boolean {
  return /^\d{8}T\d{6}Z\.(ts|mkv)$/.test(name);
}
