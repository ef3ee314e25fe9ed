import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { healthSettings } from '../../../src/failover/settings.js';
import { type SignalsBuilder, signals } from '../support/builders/signals.js';
import { Replica, watched } from './support/replica.js';

const announced = (sinceTime = '2026-01-02T03:04:00Z') => signals().service('Stopping', sinceTime);
const never = () => signals().with({ everReady: false, report: undefined, lease: undefined });

describe('clocks of their own', () => {
  describe('a start (startGraceSeconds)', () => {
    it('may take so long, and is no failure before', () => {
      const replica = watched().beats(signals().service('Starting'), 118_000);
      expect(replica.judges()).to.include({ verdict: 'Late', trigger: undefined });
      replica.beats(signals().service('Starting'), 2_000);
      expect(replica.judges()).to.include({ verdict: 'Broken', trigger: 'RecordingServiceFailed', brokenForMs: 0 });
    });

    it('is not served by reporting nothing at all', () => {
      const mute = signals().with({ report: undefined });
      expect(watched().beats(mute, 118_000).judges().verdict).to.equal('Late');
      const judged = watched().beats(mute, 120_000).judges();
      expect(judged.trigger).to.equal('RecordingServiceFailed');
      expect(judged.evidence[0]?.message).to.contain('reported nothing');
    });

    it('is counted from the first heartbeat of the new pod: an image may take its time', () => {
      const replica = watched();
      replica.settings = { ...replica.settings, timeoutSeconds: 3600 };
      const pulling = signals().renewed('t2').pod({ uid: 'pod-2', phase: 'Pending', ready: false });
      replica.sees(pulling).passes(600_000);
      const up = signals()
        .pod({ uid: 'pod-2' })
        .lease({ holderIdentity: 'pod-2' })
        .report({ podUID: 'pod-2' })
        .service('Starting');
      expect(replica.beats(up, 118_000).judges().verdict).to.equal('Late');
      expect(replica.beats(up, 2_000).judges().trigger).to.equal('RecordingServiceFailed');
    });

    it('says exactly when to look again', () => {
      const replica = watched().sees(signals().renewed('t3').service('Starting'));
      replica.settings = { ...replica.settings, timeoutSeconds: 3600 };
      const { nextCheckInMs = 0 } = replica.judges();
      expect(nextCheckInMs).to.be.within(1, 120_000);
    });

    for (const [what, seen] of [
      ['a pod that is never placed', never().pod({ phase: 'Pending', ready: false, unschedulableMessage: 'no node' })],
      ['an image that is not there', never().pod({ phase: 'Pending', ready: false, waitingReason: 'ErrImagePull' })],
      ['no pod', never().with({ pod: undefined })],
      ['a recording service that fails', signals().with({ everReady: false }).service('Failed')],
    ] as const)
      it(`waits for a person after so long, and is never a failover: ${what}`, () => {
        const replica = new Replica().sees(seen);
        expect(replica.passes(119_999).judges()).to.include({ verdict: 'NeverReady', startOverdue: false });
        expect(replica.judges().nextCheckInMs).to.equal(1);
        expect(replica.passes(1).judges()).to.include({
          verdict: 'NeverReady',
          startOverdue: true,
          trigger: undefined,
        });
        expect(replica.judges().nextCheckInMs).to.equal(undefined);
        expect(replica.judges().evidence).to.not.be.empty;
      });

    it('does not count while it is in maintenance', () => {
      const replica = new Replica().sees(never().with({ inMaintenance: true })).passes(600_000);
      replica.sees(never().with({ inMaintenance: false })).passes(119_000);
      expect(replica.judges().startOverdue).to.equal(false);
      expect(replica.passes(1_000).judges().startOverdue).to.equal(true);
    });
  });

  describe('a planned stop (restartGraceSeconds)', () => {
    /** It announces its stop with its last heartbeats, and falls silent. */
    const stopped = () => watched().beats(announced(), 2_000);

    it('is no failure for so long from the announcement, and is one the moment after', () => {
      const replica = stopped();
      expect(replica.judges().verdict).to.equal('Late');
      expect(replica.passes(57_999).judges()).to.include({ verdict: 'Late', trigger: undefined });
      expect(replica.judges().nextCheckInMs).to.equal(1);
      expect(replica.passes(1).judges()).to.include({ verdict: 'Broken', trigger: 'Unreachable', brokenForMs: 0 });
    });

    it('is said on Reachable as long as it is awaited', () => {
      const replica = stopped();
      expect(replica.judges().reachable).to.include({ status: 'Unknown', reason: 'Restarting' });
      const message = replica.judges().reachable.message;
      expect(replica.passes(57_000).judges().reachable).to.include({ reason: 'Restarting', message });
      expect(replica.passes(1_000).judges().reachable.reason).to.equal('Unreachable');
    });

    it('never shortens the timeout', () => {
      const replica = stopped();
      replica.settings = { ...replica.settings, timeoutSeconds: 100 };
      expect(replica.passes(97_999).judges().verdict).to.equal('Late');
      expect(replica.passes(1).judges().trigger).to.equal('Unreachable');
    });

    it('is judged like a crash with a grace of 0', () => {
      const replica = stopped();
      replica.settings = { ...replica.settings, restartGraceSeconds: 0 };
      expect(replica.passes(3_999).judges().verdict).to.equal('Late');
      expect(replica.passes(1).judges().trigger).to.equal('Unreachable');
    });

    it('is not a crash: without an announcement the timeout counts', () => {
      expect(watched().beats(signals(), 2_000).passes(4_000).judges().trigger).to.equal('Unreachable');
    });

    it('makes no target for takeovers, though heartbeats still come', () => {
      expect(stopped().judges().verdict).to.not.equal('Healthy');
    });

    it('outlives the end of its pod, until its successor is heard', () => {
      const replica = stopped();
      const without = announced().renewed('t4').with({ pod: undefined });
      const pending = announced().renewed('t4').pod({ uid: 'pod-2', phase: 'Pending', ready: false });
      replica.sees(without).passes(20_000).sees(pending).passes(20_000);
      expect(replica.judges()).to.include({ verdict: 'Late', trigger: undefined });
      const heard = announced().pod({ uid: 'pod-2' }).lease({ holderIdentity: 'pod-2', renewTime: 't5' });
      replica.sees(heard).passes(5_999);
      expect(replica.judges().trigger).to.equal(undefined);
      expect(replica.passes(1).judges().trigger).to.equal('Unreachable');
    });

    it('ends when the new container of the same pod has reported', () => {
      const replica = stopped().passes(10_000).sees(signals().renewed('t8').service('Starting', 'later'));
      expect(replica.judges().reachable.reason).to.equal('HeartbeatFresh');
      expect(replica.passes(6_000).judges().trigger).to.equal('Unreachable');
    });

    it('leaves everything as it was once it is back', () => {
      const replica = stopped().passes(10_000).beats(signals(), 4_000);
      expect(replica.judges()).to.include({ verdict: 'Healthy' });
      expect(replica.observation?.announcement).to.equal(undefined);
      expect(replica.judges().evidence).to.deep.equal([]);
    });

    it('is not believed from another pod than the one that sends the heartbeats', () => {
      const foreign = announced().report({ podUID: 'pod-9' });
      const replica = watched().beats(foreign, 2_000).passes(4_000);
      expect(replica.judges().trigger).to.equal('Unreachable');
    });

    it('does not begin again with the same announcement, however often it is seen', () => {
      const replica = stopped();
      for (let second = 0; second < 58; second += 1) replica.sees(announced().renewed('t3')).passes(1_000);
      expect(replica.judges().trigger).to.equal('Unreachable');
    });

    it('gives no more time to one that stops again before it was ready', () => {
      const replica = stopped();
      for (let round = 1; round <= 6; round += 1) {
        replica.passes(8_000).sees(signals().renewed(`s${round}`).service('Starting', `up-${round}`));
        replica.passes(2_000).sees(announced(`down-${round}`).renewed(`d${round}`));
      }
      expect(replica.passes(6_000).judges().trigger).to.equal('Unreachable');
    });

    it('gives no time to a recorder that was failing, and keeps it broken until it is silent', () => {
      const failing = watched().beats(signals().service('Failed'), 40_000);
      failing.beats(announced(), 2_000);
      expect(failing.judges().trigger).to.equal('RecordingServiceFailed');
      expect(failing.passes(4_000).judges().trigger).to.equal('Unreachable');
      const withoutDisks = watched().beats(signals().disks('Lost', 'Lost'), 4_000);
      withoutDisks.beats(announced().disks('Lost', 'Lost'), 2_000).passes(4_000);
      expect(withoutDisks.judges().trigger).to.equal('Unreachable');
    });

    it('does not hide a container that can not run', () => {
      const replica = stopped().sees(
        announced().renewed('t3').pod({ ready: false, waitingReason: 'CrashLoopBackOff' }),
      );
      expect(replica.passes(30_000).judges().trigger).to.equal('RecordingServiceFailed');
    });

    it('counts anew for an operator that has just started, from its own first sight', () => {
      const replica = new Replica().sees(announced()).passes(59_999);
      expect(replica.judges().trigger).to.equal(undefined);
      expect(replica.passes(1).judges().trigger).to.equal('Unreachable');
    });

    it('never lasts longer than the grace after its first sight, whatever comes', () => {
      const settings = healthSettings({ failoverTimeoutSeconds: 6 });
      const step = fc.constantFrom('wait', 'same', 'gone', 'pending', 'again');
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const replica = stopped();
          const start = replica.now - 2_000;
          let rounds = 0;
          for (const kind of steps) {
            rounds += 1;
            const seen: Record<typeof kind, SignalsBuilder> = {
              wait: announced().renewed('t3'),
              same: announced().renewed('t3'),
              gone: announced().renewed('t3').with({ pod: undefined }),
              pending: announced().renewed('t3').pod({ uid: 'pod-2', phase: 'Pending', ready: false }),
              again: announced(`again-${rounds}`).renewed('t3'),
            };
            replica.sees(seen[kind]).passes(3_000);
          }
          const { trigger } = replica.judges();
          const over = replica.now - start >= settings.restartGraceSeconds * 1000;
          expect(trigger).to.equal(over ? 'Unreachable' : undefined);
        }),
      );
    });
  });
});

describe('law 7: a wall clock that jumps', () => {
  type Step = {
    readonly kind: 'beat' | 'silent' | 'failed' | 'lost' | 'announce' | 'outage';
    readonly seconds: number;
  };
  const stepArb: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom('beat', 'beat', 'beat', 'silent', 'failed', 'lost', 'announce', 'outage'),
    seconds: fc.integer({ min: 1, max: 40 }),
  });

  /** Every time that the recorder or Kubernetes writes is the wall clock's, shifted at each step by so much. */
  function verdicts(steps: readonly Step[], shifts: readonly number[]): unknown[] {
    const replica = new Replica();
    let since = '';
    let last = '';
    return steps.map(({ kind, seconds }, index) => {
      const wall = new Date(Date.UTC(2026, 0, 2) + replica.now + (shifts[index] ?? 0) * 1000 + index).toISOString();
      if (kind !== last) since = wall;
      last = kind;
      if (kind === 'outage') replica.passesWithoutApi(seconds * 1000).hearsApi();
      else if (kind === 'silent') replica.passes(seconds * 1000);
      else {
        const state = kind === 'failed' ? 'Failed' : kind === 'announce' ? 'Stopping' : 'Ready';
        const seen = signals()
          .renewed(wall)
          .service(state, since)
          .node({ ready: kind === 'beat', readySince: since });
        if (kind === 'lost') seen.disks('Lost', 'Lost');
        replica.sees(seen).passes(seconds * 1000);
      }
      const { verdict, trigger, silentForMs, brokenForMs, nextCheckInMs, startOverdue } = replica.judges();
      return { verdict, trigger, silentForMs, brokenForMs, nextCheckInMs, startOverdue };
    });
  }

  it('changes no verdict, at whatever step it jumps and how far', () => {
    const shift = fc.integer({ min: -10_000_000, max: 10_000_000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(stepArb, shift), { minLength: 1, maxLength: 30 }), (run) => {
        const steps = run.map(([step]) => step);
        const steady = verdicts(steps, []);
        expect(
          verdicts(
            steps,
            run.map(([, jump]) => jump),
          ),
        ).to.deep.equal(steady);
      }),
      { numRuns: 300 },
    );
  });
});
