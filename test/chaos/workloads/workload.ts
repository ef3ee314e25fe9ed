import type { Recorder, RecorderOptions } from '../world/recorder.js';
import type { Stage } from '../world/stage.js';

/** A piece of a system's life, written once and run under each fault. */
export interface Workload {
  readonly name: string;
  /** Kinds that matter to it and to few others: their watches suffer, too. */
  readonly alsoWatches?: readonly string[];
  /** Makes the system and waits until all is well. */
  setup(stage: Stage): Promise<Cast>;
  /** What happens to it; ends when its done-condition is met. */
  act(stage: Stage, cast: Cast): Promise<void>;
}

/** The recorders by name. */
export type Cast = Readonly<Record<string, Recorder>>;

interface Crew {
  /** Name of the pool; 'site' unless given. */
  readonly pool?: string;
  /** What its spec has besides what `makePool` gives it. */
  readonly poolSpec?: object;
  /** Standard servers, each with one camera of its own unless `cameras` says otherwise. */
  readonly homes: readonly string[];
  readonly standbys: readonly string[];
  /** Home by camera. */
  readonly cameras?: Readonly<Record<string, string>>;
  readonly recorders?: Readonly<Record<string, RecorderOptions>>;
  /** What the specs of servers have besides. */
  readonly servers?: Readonly<Record<string, object>>;
}

/** A pool with its servers, cameras and recorders, all of them ready. */
export async function assemble(stage: Stage, crew: Crew): Promise<Cast> {
  const { homes, standbys, recorders = {}, pool = 'site', servers = {} } = crew;
  const cameras = crew.cameras ?? Object.fromEntries(homes.map((home) => [`${home}-door`, home]));
  const poolRef = { name: pool };
  await stage.makePool(crew.poolSpec, pool);
  await Promise.all([
    ...homes.map((name) => stage.makeServer(name, { poolRef, ...servers[name] })),
    ...standbys.map((name, index) =>
      stage.makeServer(name, { poolRef, type: 'Failover', standbyOrder: index, ...servers[name] }),
    ),
    ...Object.entries(cameras).map(([name, home]) => stage.makeCamera(name, home)),
  ]);
  const names = [...homes, ...standbys];
  const cast = Object.fromEntries(names.map((name) => [name, stage.recorder(name, recorders[name])]));
  for (const name of names)
    await stage.until(`${name} is ready`, () => stage.serves(name, homes.includes(name) ? name : ''));
  for (const [name, home] of Object.entries(cameras)) await recorded(stage, name, home);
  await stage.until('the pool counts its standbys', () => stage.poolStatus(pool).counts?.standby === standbys.length);
  return cast;
}

/** The recorder of that name. Throws when the workload has none. */
export function actor(cast: Cast, name: string): Recorder {
  const found = cast[name];
  if (found === undefined) throw new Error(`the workload has no recorder ${name}`);
  return found;
}

/** A condition of a server, as it was last seen. */
export function conditionOf(stage: Stage, server: string, type: string) {
  return stage.server(server)?.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether a condition of a server holds. */
export function isTrue(stage: Stage, server: string, type: string): boolean {
  return conditionOf(stage, server, type)?.status === 'True';
}

/** The camera is bound to the server, and proved to be recorded. */
export async function recorded(stage: Stage, camera: string, server: string): Promise<void> {
  await stage.until(`${camera} is recorded by ${server}`, () => {
    const status = stage.observatory.camera(stage.namespace, camera)?.status;
    const recording = status?.conditions?.find(({ type }) => type === 'Recording');
    return status?.boundTo?.server === server && recording?.status === 'True';
  });
}

/** The role has moved, its takeover is over, and its baseline is complete. */
export async function takenOver(stage: Stage, role: string, by: string, pool = 'site'): Promise<void> {
  await stage.until(`${by} has taken over ${role}`, () => {
    const { current, history } = stage.poolStatus(pool);
    const entry = history?.find((one) => one.role === role && one.to === by);
    if (current?.role === role || entry?.outcome !== 'Completed') return undefined;
    const conditions = stage.observatory.backup(stage.namespace, entry.backupName ?? '')?.status?.conditions;
    return stage.serves(by, role) && conditions?.some(({ type, status }) => type === 'Complete' && status === 'True');
  });
}

/** It stands by, and its pool counts so many standbys. */
export async function standsBy(stage: Stage, name: string, standbys: number, pool = 'site'): Promise<void> {
  await stage.until(`${name} stands by`, () => {
    return stage.server(name)?.status?.state === 'Standby' && stage.serves(name, '');
  });
  await stage.until('the pool counts it', () => stage.poolStatus(pool).counts?.standby === standbys);
}

/** The takeover of a role has been committed, and has not been proved yet. */
export async function takeoverRuns(stage: Stage, role: string): Promise<void> {
  await stage.until(`the takeover of ${role} runs`, () => stage.poolStatus().current?.role === role);
}

/** The role waits in the queue; `why` begins what it waits for. */
export async function queued(stage: Stage, role: string, why = ''): Promise<void> {
  await stage.until(`${role} waits ${why}`, () =>
    stage.poolStatus().queue?.some((entry) => entry.role === role && (entry.waitingFor ?? '').startsWith(why)),
  );
}
