import { expect } from 'chai';
import type { CameraAssignment, FailoverPool, FailoverPoolStatus } from '../../../src/crds/index.js';
import { restoredTable, restorePromise, sideBySide } from '../../demo/restored.js';
import { camera } from '../backup/support/system.js';

const boundTo = (name: string, server: string, epoch = 3): CameraAssignment => {
  const made = camera(name, epoch);
  return { ...made, status: { boundTo: { role: 'recorder-a', server, epoch, startTime: '' } } };
};
const pool = (status: FailoverPoolStatus = { epoch: 4 }) => ({ metadata: { name: 'site' }, status }) as FailoverPool;
const here = [boundTo('door', 'standby-a'), boundTo('gate', 'standby-a')];
const promiseOf = (there: CameraAssignment[], status?: FailoverPoolStatus) =>
  restorePromise(sideBySide(here, there), pool(status));

describe("the demo's restore", () => {
  it('keeps its promise when every camera is bound to the same holder', () => {
    expect(promiseOf([...here].reverse())).to.include({
      kept: true,
      finding: '2 cameras, 0 failovers there, the pool at epoch 4',
    });
  });

  const broken: readonly (readonly [string, CameraAssignment[], FailoverPoolStatus | undefined])[] = [
    ['a camera is bound to another holder', [boundTo('door', 'recorder-a'), boundTo('gate', 'standby-a')], undefined],
    ['a camera is missing', [boundTo('door', 'standby-a')], undefined],
    ['an epoch went back', [boundTo('door', 'standby-a', 2), boundTo('gate', 'standby-a')], undefined],
    ['a failover waits there', here, { epoch: 4, queue: [{} as never] }],
    ['the restore is not finished', here, { epoch: 4, restore: { sha256: 'a', startTime: '' } }],
  ];
  for (const [what, there, status] of broken) {
    it(`breaks its promise when ${what}`, () => {
      expect(promiseOf(there, status).kept).to.equal(false);
    });
  }

  it('breaks its promise when there is nothing to compare', () => {
    expect(restorePromise([], pool()).kept).to.equal(false);
  });

  it('shows both sides', () => {
    expect(restoredTable(sideBySide(here, [])).split('\n').at(-1)).to.match(
      /^gate +recorder-a +standby-a +3 +nobody +0$/,
    );
  });
});
