import type { FailoverPoolSpec, RecordingServerSpec } from '../../../../src/crds/index.js';
import type { RecordingServerBuilder } from '../../support/builders/recording-server.js';
import type { Step } from './steps.js';
import { type Camera, camera, changeObjects, frozen, put, type World } from './world.js';

function withSpec(world: World, server: string, change: (spec: RecordingServerSpec) => RecordingServerSpec) {
  const known = world.objects.servers[server];
  if (known === undefined) return undefined;
  const spec = change(known.spec);
  if (JSON.stringify(spec) === JSON.stringify(known.spec)) return undefined;
  const metadata = { ...known.metadata, generation: (known.metadata.generation ?? 0) + 1 };
  return changeObjects(world, { servers: put(world.objects.servers, server, frozen({ ...known, metadata, spec })) });
}

/** A person changes the spec of a server. */
export const serverEdit = (
  server: string,
  what: string,
  change: (spec: RecordingServerSpec) => RecordingServerSpec,
): Step => ({ name: `a person changes ${server}: ${what}`, apply: (world) => withSpec(world, server, change) });

export const leavesPool = (server: string): Step =>
  serverEdit(server, 'it leaves its pool', ({ poolRef: _left, ...spec }) => spec);
export const joinsPool = (server: string, pool = 'pool'): Step =>
  serverEdit(server, `it joins ${pool}`, (spec) => ({ ...spec, poolRef: { name: pool } }));
export const becomes = (server: string, type: RecordingServerSpec['type']): Step =>
  serverEdit(server, `type ${type}`, (spec) => ({ ...spec, type }));
export const operates = (server: string, operatingMode: RecordingServerSpec['operatingMode']): Step =>
  serverEdit(server, `operatingMode ${operatingMode}`, (spec) => ({ ...spec, operatingMode }));
export const holdsAtMost = (server: string, cameras: number): Step =>
  serverEdit(server, `capacity ${cameras}`, (spec) => ({ ...spec, capacity: { cameras } }));
export const timesOutAfter = (server: string, seconds: number): Step =>
  serverEdit(server, `timeout ${seconds} s`, (spec) => ({ ...spec, failoverTimeoutSeconds: seconds }));

/** Server, Lease, report, pod: all of it goes, as garbage collection does. Its claims stay. */
export const serverDeleted = (server: string): Step => ({
  name: `a person deletes ${server}`,
  apply: (world) => {
    const { servers, leases, reports, pods } = world.objects;
    if (servers[server] === undefined) return undefined;
    const gone = changeObjects(world, {
      servers: put(servers, server, undefined),
      leases: put(leases, server, undefined),
      reports: put(reports, server, undefined),
      pods: put(pods, server, undefined),
    });
    return { ...gone, recorders: put(world.recorders, server, undefined) };
  },
});

/** A server is applied: a new one, or again under a name that was used before. */
export const serverApplied = (builder: RecordingServerBuilder): Step => {
  const { metadata, spec } = builder.build();
  const { name } = metadata;
  return {
    name: `a person applies ${name}`,
    apply: (world) => {
      if (world.objects.servers[name] !== undefined) return undefined;
      const uid = `uid-${name}-${world.version}`;
      const made = frozen({ metadata: { ...metadata, uid }, spec });
      const version = world.version + 1;
      return { ...changeObjects(world, { servers: put(world.objects.servers, name, made) }), version };
    },
  };
};

/** A person changes the spec of the pool. */
export const poolEdit = (what: string, change: Partial<FailoverPoolSpec>, name = 'pool'): Step => ({
  name: `a person changes ${name}: ${what}`,
  apply: (world) => {
    const pool = world.objects.pools[name];
    if (pool === undefined) return undefined;
    const spec = { ...pool.spec, ...change };
    if (JSON.stringify(spec) === JSON.stringify(pool.spec)) return undefined;
    const version = world.version + 1;
    const generation = (pool.metadata.generation ?? 0) + 1;
    const metadata = { ...pool.metadata, generation, resourceVersion: String(version) };
    return {
      ...changeObjects(world, { pools: put(world.objects.pools, name, frozen({ ...pool, metadata, spec })) }),
      version,
    };
  },
});

export const paused = (value: boolean): Step => poolEdit(`paused ${value}`, { paused: value });

function withCamera(world: World, name: string, next: Camera | undefined): World {
  return changeObjects(world, { cameras: put(world.objects.cameras, name, next && frozen(next)) });
}

export const cameraMoved = (name: string, home: string): Step => ({
  name: `a person gives camera ${name} to ${home}`,
  apply: (world) => {
    const known = world.objects.cameras[name];
    if (known === undefined || known.spec.serverRef.name === home) return undefined;
    const metadata = { ...known.metadata, generation: known.metadata.generation + 1 };
    return withCamera(world, name, { ...known, metadata, spec: { ...known.spec, serverRef: { name: home } } });
  },
});

export const cameraAdded = (name: string, home: string): Step => ({
  name: `a person adds camera ${name} to ${home}`,
  apply: (world) =>
    world.objects.cameras[name] === undefined ? withCamera(world, name, camera(name, home)) : undefined,
});

export const cameraDeleted = (name: string): Step => ({
  name: `a person deletes camera ${name}`,
  apply: (world) => (world.objects.cameras[name] === undefined ? undefined : withCamera(world, name, undefined)),
});
