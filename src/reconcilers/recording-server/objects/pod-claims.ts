import type { V1EnvVar } from '@kubernetes/client-node';
import type { MountedVolume } from './pod.js';

/** Tells the agent its volumes, each with the uid of its claim: a claim made again under its name is another disk. */
export const VOLUMES_VARIABLE = 'UNDERSTUDY_VOLUMES';

/** The volumes as the pod's agent reads them. */
export function volumesVariable(volumes: readonly MountedVolume[]): V1EnvVar {
  const told = volumes.map(({ name, mountPath, claimName, claimUID }) => ({ name, mountPath, claimName, claimUID }));
  return { name: VOLUMES_VARIABLE, value: JSON.stringify(told) };
}

/** The claim that a pod was made with for one volume. */
export type PodClaim = Pick<MountedVolume, 'claimName' | 'claimUID'>;

function claimsIn(text: string): Record<string, PodClaim> | undefined {
  try {
    const volumes = JSON.parse(text) as MountedVolume[];
    return Object.fromEntries(volumes.map(({ name, claimName, claimUID }) => [name, { claimName, claimUID }]));
  } catch {
    // Not as we made it: admission has rewritten it, and the agent, which reads it too, will say what it found.
    return undefined;
  }
}

/** The claims that a pod was made with, by name of the volume; undefined for a pod that does not tell. */
export function podClaimsOf(podSpec: object | undefined): Record<string, PodClaim> | undefined {
  const { containers = [] } = (podSpec ?? {}) as { containers?: { env?: V1EnvVar[] }[] };
  const text = containers[0]?.env?.find(({ name }) => name === VOLUMES_VARIABLE)?.value;
  return text === undefined ? undefined : claimsIn(text);
}
