import { expect } from 'chai';
import { SupersededNotice } from '../../../src/recorder/assignment/superseded.js';
import { retryDelay } from '../../../src/recorder/cameras/backoff.js';
import { faultOf, sameFailure } from '../../../src/recorder/cameras/camera-fault.js';
import { type CameraTask, releasedCameras } from '../../../src/recorder/cameras/camera-task.js';
import type { FailureKind } from '../../../src/recorder/engine/engine.js';
import { noticesOf } from '../../../src/recorder/heartbeat/lease.js';

describe('a recorder whose role another takes over', () => {
  const tasks = [{ name: 'one', maxSessions: 1 }, { name: 'two', maxSessions: 2 }, { name: 'any' }] as CameraTask[];

  it('releases the cameras with a single session, and no other', () => {
    expect([...releasedCameras(tasks, true)]).to.deep.equal(['one']);
    expect([...releasedCameras(tasks, false)]).to.deep.equal([]);
  });

  it('is told so by its status or its Lease, until neither says so any more', () => {
    const notice = new SupersededNotice();
    expect(notice.learn('status', 7)).to.equal(true);
    expect(notice.learn('lease', undefined)).to.equal(false);
    expect(notice.holds(3)).to.equal(true);
    notice.learn('lease', 7);
    notice.learn('status', undefined);
    expect(notice.holds(3)).to.equal(true);
    notice.learn('lease', undefined);
    expect(notice.holds(3)).to.equal(false);
  });

  it('heeds no notice that its own later epoch has overtaken', () => {
    const notice = new SupersededNotice();
    notice.learn('lease', 7);
    expect(notice.holds(7)).to.equal(false);
    expect(notice.holds(8)).to.equal(false);
  });

  it('reads the notices of its Lease, and nothing from rubbish', () => {
    const read = (annotations: Record<string, string>) => noticesOf({ metadata: { name: 'l', annotations } });
    expect(read({})).to.deep.equal({ supersededEpoch: undefined, questions: [] });
    expect(read({ 'understudy.dev/superseded-epoch': '', 'understudy.dev/probe': '' })).to.deep.equal(read({}));
    expect(read({ 'understudy.dev/superseded-epoch': 'x' }).supersededEpoch).to.equal(undefined);
    expect(read({ 'understudy.dev/superseded-epoch': '7', 'understudy.dev/probe': 'a/t b/t' })).to.deep.equal({
      supersededEpoch: 7,
      questions: ['a/t', 'b/t'],
    });
  });
});

describe('the failure of a camera', () => {
  const cases: [FailureKind, string][] = [
    ['unreachable', 'Unreachable'],
    ['refused', 'Unreachable'],
    ['ended', 'Unreachable'],
    ['unauthorized', 'Rejected'],
    ['notFound', 'Rejected'],
    ['format', 'Rejected'],
    ['sessionLimit', 'SessionLimit'],
    ['credentials', 'Credentials'],
    ['storage', 'Local'],
    ['engine', 'Local'],
  ];
  for (const [kind, fault] of cases) {
    it(`of kind ${kind} is reported as ${fault}`, () => expect(faultOf(kind)).to.equal(fault));
  }

  it('is no news while the camera is cut off, however its attempts end', () => {
    expect(sameFailure('refused', 'unreachable')).to.equal(true);
    expect(sameFailure('ended', 'refused')).to.equal(true);
    expect(sameFailure('notFound', 'unauthorized')).to.equal(false);
    expect(sameFailure('refused', 'sessionLimit')).to.equal(false);
    expect(sameFailure(undefined, 'refused')).to.equal(false);
  });

  it('is tried again soon in a takeover when its one session may be taken, even if it just hangs up', () => {
    const delay = (takingOver: boolean, singleSession: boolean) =>
      retryDelay({ kind: 'ended', failures: 9, takingOver, singleSession }, 0.5);
    expect(delay(true, true)).to.be.within(1000, 2000);
    expect(delay(true, false)).to.be.greaterThan(2000);
    expect(delay(false, true)).to.be.greaterThan(2000);
  });
});
