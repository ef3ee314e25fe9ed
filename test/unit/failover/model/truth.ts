import { orderOf, wanted } from './recorder.js';
import { put, type World } from './world.js';

/** The recorders that really record a camera. */
export function recordersOf(world: World, camera: string): string[] {
  return Object.values(world.recorders)
    .filter(({ running }) => running.includes(camera))
    .map(({ server }) => server);
}

/** Remembers at which epoch the holder of each role has really recorded all that it was to record. */
export function withProofs(world: World): World {
  let { provedEpoch } = world.truth;
  for (const recorder of Object.values(world.recorders)) {
    const { mode, role, epoch } = orderOf(recorder);
    if (mode !== 'Record' || recorder.listed.role !== role || (provedEpoch[role] ?? 0) >= epoch) continue;
    if (wanted(recorder).every((camera) => recorder.running.includes(camera)))
      provedEpoch = put(provedEpoch, role, epoch);
  }
  return provedEpoch === world.truth.provedEpoch ? world : { ...world, truth: { ...world.truth, provedEpoch } };
}
