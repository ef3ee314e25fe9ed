/** Manifests for the disks of nodes. Pure. */

export interface LocalVolumeOptions {
  readonly name: string;
  readonly storageClass: string;
  /** A Kubernetes quantity, for example `512Mi`. */
  readonly capacity: string;
}

/** A PersistentVolume on a node's disk. It is never deleted with its claim: footage outlives it. */
export function localVolume(node: { name: string }, disk: { mountPath: string }, options: LocalVolumeOptions) {
  const onThisNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [node.name] };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: options.name },
    spec: {
      capacity: { storage: options.capacity },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: options.storageClass,
      volumeMode: 'Filesystem',
      local: { path: disk.mountPath },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onThisNode] }] } },
    },
  };
}

/** The class of such volumes: claims are bound when their pod is scheduled, to a volume of the pod's node. */
export function localStorageClass(name: string) {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
}
