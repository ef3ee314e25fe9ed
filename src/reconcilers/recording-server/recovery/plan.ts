import type { RecordingServerStatus, RecoveryStatus } from '../../../crds/index.js';
import type { Gathered } from '../gather.js';
import { RECOVERY_GRAMMAR, recoveryRequest, requestId } from './request.js';

function refused(id: string, message: string, now: Date): RecoveryStatus {
  return { id, state: 'Refused', message: message.slice(0, 512), endTime: now.toISOString() };
}

/** Only the holder of a role has somewhere to put its footage. */
function begun({ server, assignment, holdsRole, recovery, now }: Gathered, annotation: string): RecoveryStatus {
  const id = requestId(annotation);
  const request = recoveryRequest(annotation);
  const { name } = server.metadata;
  if (request === undefined) return refused(id, `The request is not understood: ${RECOVERY_GRAMMAR}`, now);
  const { subject, fromServer } = request;
  if (assignment.role === '' || !holdsRole)
    return refused(id, `${name} holds no role; put the request on the server that holds the role of the footage`, now);
  const camera = subject === assignment.role ? undefined : subject;
  if (camera !== undefined && recovery.roleOfCamera(camera) !== assignment.role)
    return refused(id, `${name} holds the role ${assignment.role}; ${camera} is neither that nor a camera of it`, now);
  if (fromServer === name) return refused(id, `${name} can't recover footage from itself; name another server`, now);
  if (!recovery.sourceOf(fromServer).exists)
    return refused(id, `There is no RecordingServer ${fromServer}; name the one whose disks hold the footage`, now);
  const what = camera === undefined ? {} : { camera };
  return { id, state: 'Running', role: assignment.role, ...what, fromServer, startTime: now.toISOString() };
}

/** Takes over what the agent tells, and tells the agent where the source is. */
function continued(gathered: Gathered, running: RecoveryStatus): RecoveryStatus {
  const { assignment, report, pod, recovery, now, server } = gathered;
  const { address: _address, fingerprint: _fingerprint, message: _message, ...rest } = running;
  const failed = (message: string): RecoveryStatus => ({
    ...rest,
    state: 'Failed',
    message,
    endTime: now.toISOString(),
  });
  if (assignment.role !== running.role) return failed(`${server.metadata.name} holds the role ${running.role} no more`);
  const source = recovery.sourceOf(running.fromServer ?? '');
  if (!source.exists) return failed(`The RecordingServer ${running.fromServer} was deleted`);
  const word =
    report?.podUID === pod?.metadata.uid && report?.recovery?.id === running.id ? report?.recovery : undefined;
  const { filled: _filled, ...progress } = word ?? { id: running.id, state: running.state };
  const told: RecoveryStatus = { ...rest, ...progress };
  if (told.state !== 'Running') return { ...told, endTime: now.toISOString() };
  const { address, fingerprint } = source;
  const reachable = address !== undefined && fingerprint !== undefined;
  if (reachable) return { ...told, address, fingerprint };
  return { ...told, message: `Waiting for the agent of ${running.fromServer}, which does not run` };
}

/**
 * A person's request to recover footage (rule 10), as it stands now. Its id is remembered: a request is handled once,
 * and a new one takes the place of the one that runs.
 */
export function recoveryOf(gathered: Gathered): RecoveryStatus | undefined {
  const { request = '' } = gathered.recovery;
  const previous = gathered.server.status?.recovery;
  const isNew = request.trim() !== '' && requestId(request) !== previous?.id;
  const present = isNew ? begun(gathered, request) : previous;
  return present?.state === 'Running' ? continued(gathered, present) : present;
}

/** The recorders that may fetch segments here: those of a recovery that runs, by the certificate of their present pod. */
export function offersOf({ recovery }: Gathered): RecordingServerStatus['offers'] {
  const offers = recovery.peers.flatMap(({ server, role, fingerprint }) =>
    fingerprint === undefined ? [] : [{ toServer: server, role, fingerprint }],
  );
  return offers.length === 0 ? undefined : offers.slice(0, 16);
}
