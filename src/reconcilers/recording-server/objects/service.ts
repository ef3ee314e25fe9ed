import type { V1ServiceSpec } from '@kubernetes/client-node';
import { AGENT_PORT, childNames, FIELD_MANAGER, labels, type RecordingServer } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { ownedBy } from './metadata.js';

export type ServiceObject = KubeObject & { spec: V1ServiceSpec };

export interface RoleServiceInput {
  /** Name of the role, and of the Service. */
  readonly role: string;
  /** The home server; absent when it was deleted while a substitute holds the role. */
  readonly home?: RecordingServer | undefined;
  /** The substitute that holds the role; absent while the home holds it. */
  readonly substitute?: RecordingServer | undefined;
}

/**
 * The DNS name of a role, which follows its holder (rule 14). Home and substitute both own it: garbage collection
 * removes an object once its last owner is gone, so the name lives on when the broken home is scrapped.
 */
export function buildRoleService({ role, home, substitute }: RoleServiceInput): ServiceObject {
  const controller = home ?? substitute;
  if (!controller) throw new Error(`the Service of role ${role} has neither a home nor a substitute to own it`);
  const template = home?.spec.serviceTemplate;
  const owners = [ownedBy(controller)];
  if (home && substitute) owners.push(ownedBy(substitute, false));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: childNames.roleService(role),
      namespace: controller.metadata.namespace ?? '',
      labels: {
        ...template?.labels,
        [labels.name]: 'understudy',
        [labels.instance]: role,
        [labels.component]: 'recorder',
        [labels.partOf]: 'understudy',
        [labels.managedBy]: FIELD_MANAGER,
        [labels.server]: role,
      },
      ...(template?.annotations ? { annotations: { ...template.annotations } } : {}),
      ownerReferences: owners,
    },
    spec: {
      type: template?.type ?? 'ClusterIP',
      selector: { [labels.servingRole]: role },
      // A recorder that is not ready still answers for the footage that it has.
      publishNotReadyAddresses: true,
      ports: [{ name: 'agent', port: AGENT_PORT, targetPort: AGENT_PORT, protocol: 'TCP' }],
    },
  };
}
