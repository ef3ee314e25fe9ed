import type { RecordingServer, ServerState } from '../../src/crds/index.js';
import type { Chronicle } from '../scenario/chronicle.js';
import { isTrue, reasonOf } from '../scenario/summary.js';

/** What the live panel shows: read from the objects alone, as any SRE could. */
export interface View {
  readonly folders: readonly Folder[];
  readonly takeover: string;
  readonly queue: string;
  readonly cameras: readonly CameraLine[];
}

export interface Folder {
  readonly name: string;
  readonly servers: readonly { readonly name: string; readonly text: string }[];
}

export interface CameraLine {
  readonly name: string;
  readonly home: string;
  /** Empty while nobody records it. */
  readonly recordedBy: string;
  readonly text: string;
}

const folderNames: readonly ServerState[] = ['Active', 'Standby', 'Broken', 'Maintenance', 'Pending'];

/** Reads the state of the system; `nodeLabel` adds what stands beside a server's node, such as a power symbol. */
export function viewOf(chronicle: Chronicle): View {
  const servers = chronicle.all('servers');
  const [pool] = chronicle.all('pools');
  const current = pool?.status?.current;
  const waiting = pool?.status?.queue ?? [];
  return {
    folders: folderNames
      .map((name) => ({ name, servers: servers.filter((server) => stateOf(server) === name).map(serverLine) }))
      .filter((folder) => folder.name !== 'Pending' || folder.servers.length > 0),
    takeover: current
      ? `${current.standby} takes over role ${current.role} from ${current.server}: ${current.step}`
      : 'none',
    queue:
      waiting.map(({ server, waitingFor }) => server + (waitingFor ? ` (${waitingFor})` : '')).join(', ') || 'empty',
    cameras: chronicle.all('cameras').map((camera) => {
      const recording = isTrue(camera, 'Recording');
      const recordedBy = recording ? (camera.status?.boundTo?.server ?? '') : '';
      const text = recording ? recordedBy : `nobody (${reasonOf(camera, 'Recording') || 'not yet'})`;
      return { name: camera.metadata.name, home: camera.spec.serverRef.name, recordedBy, text };
    }),
  };
}

function stateOf(server: RecordingServer): ServerState {
  return server.status?.state ?? 'Pending';
}

function serverLine(server: RecordingServer) {
  const { servingRole, nodeName, cameras } = server.status ?? {};
  const role = servingRole
    ? `role ${servingRole}, ${cameras?.recording ?? 0}/${cameras?.assigned ?? 0} cameras`
    : 'no role';
  const reason = reasonOf(server, 'Ready');
  return { name: server.metadata.name, text: `${nodeName ?? 'no node yet'}, ${role}${reason ? ` (${reason})` : ''}` };
}

/** The same as single facts, of which a log prints those that have changed. */
export function factsOf(view: View): Map<string, string> {
  const facts = new Map<string, string>();
  for (const folder of view.folders) {
    for (const server of folder.servers) facts.set(server.name, `${folder.name}: ${server.text}`);
  }
  facts.set('takeover', view.takeover);
  facts.set('queue', view.queue);
  for (const home of new Set(view.cameras.map((camera) => camera.home))) {
    const recorders = new Map<string, number>();
    for (const camera of view.cameras.filter((each) => each.home === home)) {
      recorders.set(camera.text, (recorders.get(camera.text) ?? 0) + 1);
    }
    const parts = [...recorders].sort().map(([text, count]) => `${count} by ${text}`);
    facts.set(`cameras of ${home}`, `recorded: ${parts.join(', ')}`);
  }
  return facts;
}
