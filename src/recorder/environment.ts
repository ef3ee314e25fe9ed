import { z } from 'zod';

const volume = z.object({
  name: z.string().min(1),
  mountPath: z.string().regex(/^\/[A-Za-z0-9._/-]+$/),
  claimName: z.string().default(''),
  claimUID: z.string().default(''),
  /** False accepts a plain folder as a volume. Only for recorders outside a pod: in a pod an unmounted disk is a fault. */
  requireMount: z.boolean().default(true),
});

const options = z.record(z.string(), z.string());

/** A footage volume as the pod mounts it. */
export type VolumeMount = z.infer<typeof volume>;

/** What the pod tells its agent. */
export interface RecorderEnvironment {
  readonly server: string;
  readonly namespace: string;
  readonly podUID: string;
  readonly podName: string;
  readonly serverUID: string;
  readonly volumes: readonly VolumeMount[];
  readonly engine: string;
  readonly engineOptions: Readonly<Record<string, string>>;
  /** Folder for the engine's scratch files; not a footage volume. */
  readonly scratchPath: string;
  /** Port of /healthz, /readyz and /status. */
  readonly port: number;
}

/** Reads the environment; throws an Error that names the variable and the mend. */
export function readEnvironment(env: NodeJS.ProcessEnv, defaultPort: number): RecorderEnvironment {
  return {
    server: required(env, 'UNDERSTUDY_SERVER'),
    namespace: required(env, 'UNDERSTUDY_NAMESPACE'),
    podUID: required(env, 'UNDERSTUDY_POD_UID'),
    podName: env.UNDERSTUDY_POD_NAME ?? required(env, 'UNDERSTUDY_SERVER'),
    serverUID: required(env, 'UNDERSTUDY_SERVER_UID'),
    volumes: parsed(env, 'UNDERSTUDY_VOLUMES', z.array(volume).min(1), undefined),
    engine: env.UNDERSTUDY_ENGINE ?? 'ffmpeg',
    engineOptions: parsed(env, 'UNDERSTUDY_ENGINE_OPTIONS', options, '{}'),
    scratchPath: env.UNDERSTUDY_SCRATCH ?? '/tmp',
    port: Number(env.UNDERSTUDY_PORT ?? defaultPort),
  };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set: the recorder runs in a pod of a server`);
  return value;
}

function parsed<T extends z.ZodType>(
  env: NodeJS.ProcessEnv,
  name: string,
  schema: T,
  fallback: string | undefined,
): z.infer<T> {
  const text = env[name] ?? fallback ?? required(env, name);
  const result = schema.safeParse(jsonOf(name, text));
  if (result.success) return result.data;
  throw new Error(`${name} does not fit: ${z.prettifyError(result.error)}`);
}

function jsonOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is not JSON: ${String(error)}`);
  }
}
