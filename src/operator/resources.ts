import type { ResourceType } from './objects.js';

function namespaced(group: string, version: string, plural: string, kind: string): ResourceType {
  return { group, version, plural, kind, namespaced: true };
}

function clusterScoped(group: string, version: string, plural: string, kind: string): ResourceType {
  return { group, version, plural, kind, namespaced: false };
}

/** The built-in kinds that are read or written. */
export const resources = {
  namespaces: clusterScoped('', 'v1', 'namespaces', 'Namespace'),
  nodes: clusterScoped('', 'v1', 'nodes', 'Node'),
  persistentVolumes: clusterScoped('', 'v1', 'persistentvolumes', 'PersistentVolume'),
  configMaps: namespaced('', 'v1', 'configmaps', 'ConfigMap'),
  persistentVolumeClaims: namespaced('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  pods: namespaced('', 'v1', 'pods', 'Pod'),
  secrets: namespaced('', 'v1', 'secrets', 'Secret'),
  serviceAccounts: namespaced('', 'v1', 'serviceaccounts', 'ServiceAccount'),
  services: namespaced('', 'v1', 'services', 'Service'),
  leases: namespaced('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  endpointSlices: namespaced('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice'),
  events: namespaced('events.k8s.io', 'v1', 'events', 'Event'),
  podDisruptionBudgets: namespaced('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  roles: namespaced('rbac.authorization.k8s.io', 'v1', 'roles', 'Role'),
  roleBindings: namespaced('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding'),
  /** Created, never kept: the answer says whether the caller may do something. */
  selfSubjectAccessReviews: clusterScoped(
    'authorization.k8s.io',
    'v1',
    'selfsubjectaccessreviews',
    'SelfSubjectAccessReview',
  ),
  storageClasses: clusterScoped('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass'),
  volumeAttachments: clusterScoped('storage.k8s.io', 'v1', 'volumeattachments', 'VolumeAttachment'),
  customResourceDefinitions: clusterScoped(
    'apiextensions.k8s.io',
    'v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
  ),
} as const satisfies Record<string, ResourceType>;
