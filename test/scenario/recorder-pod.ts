import { childNames } from '../../src/crds/index.js';
import { resources } from '../../src/operator/resources.js';
import type { Scene } from './scene.js';

/** The pod of a recorder, as far as tests look at it. */
export interface RecorderPod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** The pod of a server right now; undefined while there is none. */
export function podOf({ api, namespace }: Scene, server: string): Promise<RecorderPod | undefined> {
  return api.find<RecorderPod>(resources.pods, { namespace, name: childNames.pod(server) });
}

/** Whether the kubelet has seen the recorder of a server ready. */
export async function isReady(scene: Scene, server: string): Promise<boolean> {
  const conditions = (await podOf(scene, server))?.status.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}
