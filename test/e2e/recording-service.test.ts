import { expect } from 'chai';
import { recordingServers } from '../../src/crds/index.js';
import { resources } from '../../src/operator/resources.js';
import { failoverDone, stateReached } from '../scenario/failover.js';
import { openScene, type Scene } from '../scenario/scene.js';

describe('a recorder whose recording service cannot start', () => {
  let scene: Scene;
  const key = () => ({ namespace: scene.namespace, name: 'recorder' });
  const setEngine = async (options: Record<string, string | null>) => {
    await scene.api.patch(recordingServers, key(), { spec: { recorder: { options } } });
    // Settings reach a recorder with its next pod.
    await scene.api.remove(resources.pods, key());
  };

  before(async () => {
    scene = await openScene({
      name: 'service',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder'],
    });
  });

  after(() => scene?.close());

  it('is replaced with the reason RecordingServiceFailed when its engine is no program', async () => {
    // A text file of the image: it exists, and can't be executed.
    await setEngine({ ffmpegPath: '/etc/passwd' });
    const entry = await failoverDone(scene, 'recorder');
    expect(entry).to.include({ to: 'standby', trigger: 'RecordingServiceFailed', outcome: 'Completed' });
    expect((entry.evidence ?? []).map(({ message }) => message).join(' ')).to.not.equal('');
  });

  it('becomes a standby when its engine is mended', async () => {
    await setEngine({ ffmpegPath: null });
    await stateReached(scene, 'recorder', 'Standby');
  });
});
