// A fake of the API client: the Lease has to be newer than the watch, gone, or unreadable to the moment.
import { expect } from 'chai';
import { healthSettings } from '../../../../src/failover/settings.js';
import type { Observation } from '../../../../src/failover/types.js';
import { ApiError, type KubeObject } from '../../../../src/operator/index.js';
import { createSilenceConfirmation } from '../../../../src/reconcilers/failover-pool/confirmation.js';
import { FakeClock } from '../../support/fake-clock.js';

/** The watch has brought renewal `watched` last; the API server has `live`. Timeout 6 s. */
function bench(watched: string | undefined) {
  const clock = new FakeClock();
  const state: { live: string | undefined | ApiError; reads: number } = { live: watched, reads: 0 };
  const observation: Observation = {
    serverUID: 'uid-a',
    everReady: true,
    signals: { serverUID: 'uid-a', everReady: true, volumes: [] },
    ...(watched === undefined
      ? {}
      : { renewal: { renewTime: watched, leaseDurationSeconds: 6, seenAt: 0, witnessed: true } }),
  };
  const confirmation = createSilenceConfirmation({
    observationOf: (key) => (key === 'ns/a' ? observation : undefined),
    settingsOf: () => healthSettings({ failoverTimeoutSeconds: 6 }),
    monotonic: () => clock.monotonic(),
    client: {
      get: async <T extends KubeObject>(): Promise<T> => {
        state.reads += 1;
        if (state.live instanceof ApiError) throw state.live;
        return { metadata: { name: 'understudy-a' }, spec: { renewTime: state.live } } as unknown as T;
      },
    },
  });
  return { clock, state, confirm: () => confirmation.confirm('ns', 'a') };
}

describe('law 7: silence is confirmed by an uncached read', () => {
  it('when the Lease shows the very renewal that was judged', async () => {
    const { state, confirm } = bench('t1');
    expect(await confirm()).to.equal(true);
    expect(state.reads).to.equal(1);
  });

  it('when no renewal was ever seen, and there is none', async () => {
    expect(await bench(undefined).confirm()).to.equal(true);
  });

  it('not when the watch has stalled and the recorder goes on renewing, for as long as it does', async () => {
    const { clock, state, confirm } = bench('t1');
    for (let beat = 2; beat < 40; beat += 1) {
      state.live = `t${beat}`;
      expect(await confirm()).to.equal(false);
      await clock.advance(2_000);
    }
  });

  it('when what the watch did not bring is itself older than the timeout, and not a moment before', async () => {
    const { clock, state, confirm } = bench('t1');
    state.live = 't9';
    expect(await confirm()).to.equal(false);
    await clock.advance(5_999);
    expect(await confirm()).to.equal(false);
    await clock.advance(1);
    expect(await confirm()).to.equal(true);
  });

  it('not by a renewal whose time went back: it is a renewal all the same', async () => {
    const { state, confirm } = bench('t5');
    state.live = 't1';
    expect(await confirm()).to.equal(false);
  });

  it('counts anew from each unseen renewal', async () => {
    const { clock, state, confirm } = bench('t1');
    state.live = 't2';
    await confirm();
    await clock.advance(5_000);
    state.live = 't3';
    expect(await confirm()).to.equal(false);
    await clock.advance(5_999);
    expect(await confirm()).to.equal(false);
    await clock.advance(1);
    expect(await confirm()).to.equal(true);
  });

  it('not for want of a Lease: nobody could renew', async () => {
    const { state, confirm } = bench('t1');
    state.live = new ApiError('notFound', 'gone');
    expect(await confirm()).to.equal(false);
  });

  it('not when the API server does not answer: the decision waits for it', async () => {
    const { state, confirm } = bench('t1');
    state.live = new ApiError('transient', 'no answer');
    const failure = await confirm().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(ApiError);
  });
});
