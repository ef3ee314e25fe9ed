import { childNames, type RecordingServer } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { childMetadata } from './metadata.js';

export type RoleBindingObject = KubeObject & {
  roleRef: { apiGroup: string; kind: string; name: string };
  subjects: { kind: string; name: string; namespace: string }[];
};

export function buildRoleBinding(server: RecordingServer): RoleBindingObject {
  const name = childNames.access(server.metadata.name);
  const metadata = childMetadata(server, name);
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: metadata.namespace }],
  };
}
