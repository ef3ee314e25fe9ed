import { z } from 'zod';
import { cameraFolder, folderDay } from './layout.js';

/** What lies beside a camera's footage, so that it ages although its camera or role has gone elsewhere. */
const retentionRule = z.object({ retentionSeconds: z.int().positive() });

/** A writer's folder of one day. */
export interface FootageFolder {
  /** Relative to the mount path. */
  readonly path: string;
  /** YYYYMMDD */
  readonly day: string;
  /** Footage older than this is deleted; undefined when nothing is said: then only the reserve of space counts. */
  readonly retentionSeconds: number | undefined;
}

/** The text of retention.json. */
export function formatRetention(retentionSeconds: number): string {
  return JSON.stringify({ retentionSeconds });
}

/** Reads what LIST_SCRIPT printed; undefined when it was cut short. */
export function parseFolders(stdout: string): FootageFolder[] | undefined {
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.at(-1) !== 'done') return undefined;
  const seconds = new Map<string, number>();
  const paths: string[] = [];
  for (const line of lines.slice(0, -1)) {
    const [, camera, text] = /^\.\/(.*)\/retention\.json:(.*)$/.exec(line) ?? [];
    if (camera === undefined || text === undefined) paths.push(line.slice(2));
    else seconds.set(camera, parseRule(text) ?? Number.POSITIVE_INFINITY);
  }
  return paths.flatMap((path) => folderOf(path, seconds));
}

function folderOf(path: string, seconds: ReadonlyMap<string, number>): FootageFolder[] {
  const [role = '', camera = '', folder = ''] = path.split('/');
  const day = folderDay(folder);
  const rule = seconds.get(cameraFolder(role, camera)) ?? Number.POSITIVE_INFINITY;
  return day === undefined ? [] : [{ path, day, retentionSeconds: Number.isFinite(rule) ? rule : undefined }];
}

function parseRule(text: string): number | undefined {
  try {
    return retentionRule.safeParse(JSON.parse(text)).data?.retentionSeconds;
  } catch {
    return undefined;
  }
}

/** A folder in which segments last written before `cutoffSeconds` (since 1970) have to go. */
export interface Expiry {
  readonly path: string;
  readonly cutoffSeconds: number;
}

/** The folders that can hold footage beyond its age: those whose day had begun before the cutoff. */
export function planExpiry(folders: readonly FootageFolder[], nowMs: number): Expiry[] {
  return folders.flatMap(({ path, day, retentionSeconds }) => {
    if (retentionSeconds === undefined) return [];
    const cutoffSeconds = Math.floor(nowMs / 1000) - retentionSeconds;
    return dayStartSeconds(day) < cutoffSeconds ? [{ path, cutoffSeconds }] : [];
  });
}

/** The folders of the oldest day of all cameras and roles: what a full disk loses first. */
export function planFreeing(folders: readonly FootageFolder[]): string[] {
  const oldest = folders.reduce<string | undefined>(
    (day, folder) => (day === undefined || folder.day < day ? folder.day : day),
    undefined,
  );
  return folders.filter((folder) => folder.day === oldest).map((folder) => folder.path);
}

function dayStartSeconds(day: string): number {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6, 8))) / 1000;
}
