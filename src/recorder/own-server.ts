import type { RecordingServer } from '../crds/recording-server.js';
import type { Assignment } from './assignment/assignment.js';

/** What is read of the server's own object. */
export interface OwnServer {
  readonly assignment: Assignment | undefined;
  readonly capacity: number | undefined;
  /** The pool that it stands by for; undefined without one, and in maintenance. */
  readonly pool: string | undefined;
  readonly supersededEpoch: number | undefined;
}

/** The part of its RecordingServer that the agent uses. */
export function ownServerOf(server: RecordingServer): OwnServer {
  const { servingRole = '', epoch, podUID } = server.status ?? {};
  const assignment = epoch === undefined ? undefined : { role: servingRole, epoch, podUID };
  const { poolRef, operatingMode, capacity } = server.spec;
  return {
    assignment,
    capacity: capacity?.cameras,
    pool: operatingMode === 'Maintenance' ? undefined : poolRef?.name,
    supersededEpoch: server.status?.supersededEpoch,
  };
}
