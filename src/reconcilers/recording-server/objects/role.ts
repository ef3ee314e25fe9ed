import type { V1PolicyRule } from '@kubernetes/client-node';
import { childNames, GROUP, type RecordingServer } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { childMetadata } from './metadata.js';

export type RoleObject = KubeObject & { rules: V1PolicyRule[] };

/**
 * A standby asks the cameras of its pool whether it reaches them, so it has to know the pool's roles. By field selector
 * too; a server holds no secret.
 */
function poolMembers({ spec }: RecordingServer): V1PolicyRule[] {
  return spec.poolRef ? [{ apiGroups: [GROUP], resources: ['recordingservers'], verbs: ['list'] }] : [];
}

function ownObjects(name: string): V1PolicyRule[] {
  return [
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      resourceNames: [childNames.lease(name)],
      verbs: ['get', 'update', 'patch'],
    },
    // list and watch with a resource name are granted only for the field selector metadata.name=<name>.
    { apiGroups: [GROUP], resources: ['recordingservers'], resourceNames: [name], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [GROUP], resources: ['recorderreports'], resourceNames: [childNames.report(name)], verbs: ['get'] },
    {
      apiGroups: [GROUP],
      resources: ['recorderreports/status'],
      resourceNames: [childNames.report(name)],
      verbs: ['get', 'patch', 'update'],
    },
    // By field selector, which RBAC can't tell apart; a camera holds no secret.
    { apiGroups: [GROUP], resources: ['cameraassignments'], verbs: ['get', 'list', 'watch'] },
  ];
}

/**
 * What the recorder may do: its own Lease, report and server, the cameras of the namespace, and its pool's servers. `secretNames` are the
 * credentials of its cameras when it has no pool; a pool has a Role of its own for those of all its members.
 */
export function buildRole(server: RecordingServer, secretNames: readonly string[]): RoleObject {
  const names = [...new Set(secretNames)].sort();
  // An empty resourceNames would grant every Secret of the namespace.
  const secrets: V1PolicyRule[] =
    names.length > 0 ? [{ apiGroups: [''], resources: ['secrets'], resourceNames: names, verbs: ['get'] }] : [];
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: childMetadata(server, childNames.access(server.metadata.name)),
    rules: [...ownObjects(server.metadata.name), ...poolMembers(server), ...secrets],
  };
}
