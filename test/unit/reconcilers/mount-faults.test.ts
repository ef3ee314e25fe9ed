// A fake of the API client: the answers to one list have to come, fail and hang when the test says so.
import { expect } from 'chai';
import { ApiError, type KubeObject, silentLog } from '../../../src/operator/index.js';
import { createMountFaults } from '../../../src/reconcilers/mount-faults.js';
import type { PodView } from '../../../src/reconcilers/views.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryStores } from './support/memory-stores.js';
import { healthOf, pod } from './support/scene.js';

const a = recordingServer('a').build();
const started = { containerRunning: true } as const;
const waiting = { phase: 'Pending', ready: false, containerRunning: false } as const;
const event = (reason: string, note: string, deprecatedFirstTimestamp?: string): KubeObject =>
  ({ metadata: { name: note }, reason, note, deprecatedFirstTimestamp }) as KubeObject;

function bench() {
  const clock = new FakeClock();
  const stores = memoryStores();
  const listed: (string | undefined)[] = [];
  const found: string[] = [];
  let answer: () => Promise<KubeObject[]> = () => Promise.resolve([]);
  const faults = createMountFaults({
    stores,
    clock,
    log: silentLog,
    onFound: (key) => found.push(key),
    client: {
      list: async <T extends KubeObject>(_type: unknown, options?: { fieldSelector?: string | undefined }) => {
        listed.push(options?.fieldSelector);
        return { items: (await answer()) as T[], resourceVersion: '1' };
      },
    },
  });
  const put = (change: Partial<PodView>): void => stores.pods.put(pod(a, change));
  return {
    clock,
    listed,
    found,
    put,
    fault: () => faults.faultOf('ns/a'),
    review: (verdict: Parameters<typeof healthOf>[0], more = {}) => faults.review('ns/a', healthOf(verdict, more)),
    answers: (next: typeof answer) => {
      answer = next;
    },
  };
}

describe('why a volume can not be mounted', () => {
  it('is looked up for a suspected server alone, and only while its pod has no running container', async () => {
    const { clock, listed, put, review } = bench();
    put(started);
    review('Broken');
    put(waiting);
    review('Healthy');
    review('NeverReady');
    await clock.advance(600_000);
    expect(listed).to.deep.equal([]);
  });

  it('is found in the Events of the very pod, with the time when it was first told', async () => {
    const { clock, listed, found, put, review, answers, fault } = bench();
    const time = '2026-01-02T03:00:00Z';
    answers(() => Promise.resolve([event('Pulled', 'x'), event('FailedMount', 'volume "v" is not there', time)]));
    put(waiting);
    review('Late');
    await clock.advance(10_000);
    expect(listed).to.deep.equal(['regarding.uid=pod-a']);
    expect(found).to.deep.equal(['ns/a']);
    expect(fault()).to.deep.equal({ reason: 'MountFailed', message: 'volume "v" is not there', time });
  });

  it('names the attachment when that is the cause', async () => {
    const { clock, put, review, answers, fault } = bench();
    answers(() => Promise.resolve([event('FailedMount', 'timed out'), event('FailedAttachVolume', 'in use by n2')]));
    put(waiting);
    review('Broken');
    await clock.advance(10_000);
    expect(fault()).to.include({ reason: 'AttachFailed', message: 'in use by n2' });
  });

  it('is asked for twice at most, however often the judgement changes', async () => {
    const { clock, listed, put, review } = bench();
    put(waiting);
    for (let round = 0; round < 100; round += 1) {
      review(round % 3 === 0 ? 'Late' : round % 3 === 1 ? 'Broken' : 'Unknown');
      await clock.advance(10_000);
    }
    expect(listed).to.have.length(2);
  });

  it('is not asked for again once it is known', async () => {
    const { clock, listed, put, review, answers } = bench();
    answers(() => Promise.resolve([event('FailedMount', 'x')]));
    put(waiting);
    review('Broken');
    await clock.advance(600_000);
    expect(listed).to.have.length(1);
  });

  it('goes with its pod, and with the container that runs at last', async () => {
    const { clock, put, review, answers, fault } = bench();
    answers(() => Promise.resolve([event('FailedMount', 'x')]));
    put(waiting);
    review('Broken');
    await clock.advance(10_000);
    put(started);
    expect(fault()).to.equal(undefined);
    put(waiting);
    expect(fault()?.reason).to.equal('MountFailed');
    put({ ...waiting, metadata: { ...pod(a).metadata, uid: 'pod-2' } });
    expect(fault()).to.equal(undefined);
  });

  it('is not found for want of an answer, and nothing else suffers', async () => {
    const { clock, listed, put, review, answers, fault } = bench();
    answers(() => Promise.reject(new ApiError('forbidden', 'no')));
    put(waiting);
    review('Broken');
    await clock.advance(600_000);
    expect(listed).to.have.length(2);
    expect(fault()).to.equal(undefined);
  });

  it('is looked up for a first start that takes too long', async () => {
    const { clock, listed, put, review } = bench();
    put(waiting);
    review('NeverReady', { startOverdue: true });
    await clock.advance(10_000);
    expect(listed).to.have.length(1);
  });

  it('repeats no password of a mount', async () => {
    const { clock, put, review, answers, fault } = bench();
    const note = 'Mounting arguments: -t cifs -o username=cam,password=hunter2,vers=3 //nas/footage';
    answers(() => Promise.resolve([event('FailedMount', note)]));
    put(waiting);
    review('Broken');
    await clock.advance(10_000);
    expect(fault()?.message).to.contain('vers=3').and.not.contain('hunter2');
  });
});
