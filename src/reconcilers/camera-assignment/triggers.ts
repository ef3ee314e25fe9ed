import type { RecorderReport, RecordingServer } from '../../crds/index.js';
import type { ServerHealth } from '../../failover/types.js';
import { deepEqual } from '../../operator/index.js';
import { changedRoles } from '../changed-roles.js';
import { type Inbox, keyOf, namespaceOf } from '../keys.js';
import { indexes, type Stores, type Watches } from '../stores.js';
import { FAULT_SHOWN_AFTER_MS } from './recording.js';

/** Our own status writes come back over the watch; a person's edit of a status is mended after so long. Milliseconds. */
const ECHO_DELAY_MS = 1_000;

/** What a binding takes from a server. */
function asHolder(server: RecordingServer | undefined): unknown {
  const { type, poolRef, capacity } = server?.spec ?? {};
  const { servingRole, epoch, podUID, podName } = server?.status ?? {};
  return [server?.metadata.uid, type, poolRef, capacity, servingRole, epoch, podUID, podName];
}

/** The cameras whose home is this server ('namespace/server'). */
export function camerasOfRole(stores: Stores, role: string): string[] {
  return stores.cameras.byIndex(indexes.server, role).map(keyOf);
}

function rolesOf(server: string, ...states: (RecordingServer | undefined)[]): Set<string> {
  const served = states.map((state) => state?.status?.servingRole).filter((role) => role);
  return new Set([server, ...served.map((role) => `${namespaceOf(server)}/${role}`)]);
}

/** Whose word it is; when that changes, every camera's proof has to be looked at anew. */
function speaker(report: RecorderReport | undefined): unknown {
  const { role, epoch, podUID } = report?.status ?? {};
  return [role, epoch, podUID];
}

/** Names of the cameras of which two reports of one server tell different things. */
export function changedCameras(next: RecorderReport | undefined, previous: RecorderReport | undefined): string[] {
  const before = new Map((previous?.status?.cameras ?? []).map((camera) => [camera.name, camera]));
  const after = new Map((next?.status?.cameras ?? []).map((camera) => [camera.name, camera]));
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => !deepEqual(before.get(name), after.get(name)));
}

/** Cameras of a role that this recorder has lost, and of whose footage it has just told where it ends. */
function formerCameras(next: RecorderReport | undefined, previous: RecorderReport | undefined): string[] {
  const former = next?.status?.formerRole;
  if (former === undefined || deepEqual(former, previous?.status?.formerRole)) return [];
  return former.cameras.map(({ name }) => name);
}

/** Cameras of which a recovery has just filled gaps. */
function recoveredCameras(next: RecorderReport | undefined, previous: RecorderReport | undefined): string[] {
  const filled = next?.status?.recovery?.filled ?? [];
  if (filled.length === 0 || deepEqual(filled, previous?.status?.recovery?.filled)) return [];
  return [...new Set(filled.map(({ camera }) => camera))];
}

/** To be called for every new verdict: a fault is shown on the cameras only once it has lasted. */
export function reviewCamerasOf(stores: Stores, serverKey: string, health: ServerHealth, inbox: Inbox): void {
  const delay = health.verdict === 'Broken' ? FAULT_SHOWN_AFTER_MS : ECHO_DELAY_MS;
  for (const role of rolesOf(serverKey, stores.latestServers.get(serverKey)))
    for (const camera of camerasOfRole(stores, role)) inbox.enqueueAfter(camera, delay);
}

/** Enqueues a camera at every change that its status depends on. To be called before the reflectors start. */
export function watchCameras({ stores, on }: Pick<Watches, 'stores' | 'on'>, inbox: Inbox): void {
  const wholeRole = (role: string): void => {
    for (const camera of camerasOfRole(stores, role)) inbox.enqueue(camera);
  };
  on('cameras', (key, next, previous) => {
    const sameSpec = next && previous && next.metadata.generation === previous.metadata.generation;
    if (sameSpec) inbox.enqueueAfter(key, ECHO_DELAY_MS);
    else inbox.enqueue(key);
    if (sameSpec) return;
    // On a substitute with a limit, one camera more or less changes who else is recorded.
    for (const camera of [next, previous]) {
      const role = camera && `${namespaceOf(key)}/${camera.spec.serverRef.name}`;
      const holders = role ? stores.servers.byIndex(indexes.servingRole, role) : [];
      if (role && holders.some((holder) => holder.spec.capacity !== undefined))
        for (const sibling of camerasOfRole(stores, role)) inbox.enqueueAfter(sibling, ECHO_DELAY_MS);
    }
  });
  on('servers', (key, next, previous) => {
    if (deepEqual(asHolder(next), asHolder(previous))) return;
    for (const role of rolesOf(key, next, previous)) wholeRole(role);
  });
  on('pools', (key, next, previous) => {
    const namespace = namespaceOf(key);
    const changes = changedRoles(next, previous);
    for (const role of changes.roles) wholeRole(`${namespace}/${role}`);
    if (!changes.all) return;
    for (const server of stores.servers.byIndex(indexes.pool, key)) wholeRole(keyOf(server));
  });
  on('reports', (key, next, previous) => {
    const namespace = namespaceOf(key);
    for (const name of changedCameras(next, previous)) inbox.enqueue(`${namespace}/${name}`);
    // Behind everything that is about recording: it only makes the ledger exact.
    for (const name of [...formerCameras(next, previous), ...recoveredCameras(next, previous)])
      inbox.enqueueAfter(`${namespace}/${name}`, ECHO_DELAY_MS);
    if (deepEqual(speaker(next), speaker(previous))) return;
    for (const report of [next, previous]) if (report?.status?.role) wholeRole(`${namespace}/${report.status.role}`);
  });
}
