import { expect } from 'chai';
import type { KubeObject } from '../../../src/operator/index.js';
import { buildPod } from '../../../src/reconcilers/recording-server/objects/pod.js';
import { signalsOf } from '../../../src/reconcilers/signals.js';
import { projectClaim, projectNode, projectPersistentVolume, projectPod } from '../../../src/reconcilers/views.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { memoryStores } from './support/memory-stores.js';
import { claim } from './support/scene.js';

const server = recordingServer('a').build();
const at = '2026-01-02T03:04:00Z';
const raw = (object: object): KubeObject => object as KubeObject;

/** The pod as the operator makes it, with a status that a kubelet wrote. */
function rawPod(status: object = {}, metadata: object = {}): KubeObject {
  const made = buildPod({
    server,
    volumes: [{ name: 'a', mountPath: '/footage/a', claimName: 'a-a', claimUID: 'uid-made' }],
    defaultImage: 'understudy:1',
    defaultImagePullPolicy: 'IfNotPresent',
    servingRole: '',
  });
  return raw({
    ...made,
    metadata: { ...made.metadata, uid: 'pod-a', ...metadata },
    spec: { ...made.spec, nodeName: 'n1' },
    status,
  });
}

function seen(status: object = {}, metadata: object = {}) {
  const stores = memoryStores();
  stores.pods.put(projectPod(rawPod(status, metadata)));
  stores.claims.put(claim('a-a'));
  return { stores, signals: () => signalsOf(stores, server) };
}

describe('the signals of a server', () => {
  it('tell an eviction with its words and its time', () => {
    const conditions = [{ type: 'DisruptionTarget', status: 'True', lastTransitionTime: at }];
    const { signals } = seen({ phase: 'Failed', reason: 'Evicted', message: 'low on memory', conditions });
    expect(signals().pod).to.include({ phase: 'Failed', reason: 'Evicted', message: 'low on memory', endedTime: at });
  });

  it('tell when a container ended before when the disruption was announced', () => {
    const containerStatuses = [{ state: { terminated: { finishedAt: at } } }];
    expect(seen({ phase: 'Succeeded', containerStatuses }).signals().pod?.endedTime).to.equal(at);
  });

  it('tell when the deletion of the pod was asked for, not when it should be over', () => {
    const { signals } = seen({}, { deletionTimestamp: '2026-01-02T03:04:15Z', deletionGracePeriodSeconds: 15 });
    expect(signals().pod?.deletionStartTime).to.equal('2026-01-02T03:04:00.000Z');
  });

  it('tell that a pod has no sandbox with its volumes, and since when', () => {
    const conditions = [{ type: 'PodReadyToStartContainers', status: 'False', lastTransitionTime: at }];
    expect(seen({ phase: 'Pending', conditions }).signals().pod).to.include({ notStartedSince: at });
    expect(seen({ phase: 'Running' }).signals().pod?.notStartedSince).to.equal(undefined);
  });

  it('read the same while a container crashes again and again', () => {
    const crash = (backOff: string) => {
      const waiting = {
        reason: 'CrashLoopBackOff',
        message: `back-off ${backOff} restarting failed container=recorder`,
      };
      return seen({ containerStatuses: [{ state: { waiting } }] }).signals().pod?.waitingMessage;
    };
    expect(crash('10s')).to.equal(crash('5m0s'));
    expect(crash('10s')).to.contain('container=recorder');
  });

  it('know the claims that the pod was made with by uid', () => {
    const [volume] = seen().signals().volumes;
    expect(volume?.claimUID).to.equal('uid-a-a');
    expect(volume?.podClaim).to.deep.equal({ claimName: 'a-a', claimUID: 'uid-made' });
  });

  it('know none for a pod whose environment was rewritten', () => {
    const stores = memoryStores();
    const pod = rawPod();
    const [container] = (pod as unknown as { spec: { containers: { env: { name: string; value?: string }[] }[] } }).spec
      .containers;
    for (const entry of container?.env ?? []) if (entry.name === 'UNDERSTUDY_VOLUMES') entry.value = '{rubbish';
    stores.pods.put(projectPod(pod));
    expect(signalsOf(stores, server).volumes[0]?.podClaim).to.equal(undefined);
  });

  it('tell since when a node is not ready and why, and that it is gone', () => {
    const { stores, signals } = seen();
    expect(signals().node).to.include({ exists: false });
    const condition = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', lastTransitionTime: at };
    stores.nodes.put(projectNode(raw({ metadata: { name: 'n1' }, status: { conditions: [condition] } })));
    expect(signals().node).to.deep.include({
      exists: true,
      ready: false,
      readyReason: 'NodeStatusUnknown',
      readySince: at,
    });
  });

  it('tell of a claim that is gone, going, or bound to a volume that is not there', () => {
    const { stores, signals } = seen();
    expect(signals().volumes[0]).to.include({ claimMissing: false, volumeMissing: true, volumeName: 'pv-a-a' });
    const volume = { metadata: { name: 'pv-a-a' }, status: { phase: 'Failed', lastPhaseTransitionTime: at } };
    stores.persistentVolumes.put(projectPersistentVolume(raw(volume)));
    expect(signals().volumes[0]).to.include({ volumeMissing: false, volumePhase: 'Failed', volumePhaseSince: at });
    const going = { name: 'a-a', namespace: 'ns', uid: 'uid-a-a', deletionTimestamp: at };
    stores.claims.put(
      projectClaim(raw({ metadata: going, spec: { volumeName: 'pv-a-a' }, status: { phase: 'Bound' } })),
    );
    expect(signals().volumes[0]).to.include({ claimDeletionTime: at });
    stores.claims.remove('ns/a-a');
    expect(signals().volumes[0]).to.include({ claimMissing: true, claimUID: undefined });
  });

  it('call a volume that a claim still waits for not missing', () => {
    const { stores, signals } = seen();
    stores.claims.put(claim('a-a', { phase: 'Pending' }));
    expect(signals().volumes[0]).to.include({ volumeMissing: false });
  });

  it('call nothing missing before the first list of its kind has come', () => {
    const { stores } = seen();
    stores.claims.remove('ns/a-a');
    const unsynced = {
      ...stores,
      nodes: { ...stores.nodes, synced: false },
      claims: { ...stores.claims, synced: false },
      persistentVolumes: { ...stores.persistentVolumes, synced: false },
    };
    const early = signalsOf(unsynced, server);
    expect(early.node?.exists).to.equal(true);
    expect(early.volumes[0]).to.include({ claimMissing: false });
    stores.claims.put(claim('a-a'));
    expect(signalsOf(unsynced, server).volumes[0]).to.include({ volumeMissing: false });
  });
});
