import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Evidence } from '../../../src/failover/types.js';
import { recordingServer } from '../support/builders/recording-server.js';
import { type SignalsBuilder, signals } from '../support/builders/signals.js';
import { health, PoolWorld } from './support/pool-world.js';
import { watched } from './support/replica.js';

const at = '2026-01-02T03:04:00Z';
type Disks = Parameters<SignalsBuilder['disks']>;

const silent = () => signals().renewed('t2');
const find = (evidence: readonly Evidence[], reason: string) => evidence.find((entry) => entry.reason === reason);

describe('two witnesses: the Lease decides, node and kubelet are evidence', () => {
  const doubts: [string, () => SignalsBuilder][] = [
    ['its node is gone', () => signals().node({ exists: false, ready: false })],
    ['its kubelet is not heard', () => signals().node({ ready: false, readyReason: 'NodeStatusUnknown' })],
    ['its pod is Unknown', () => signals().pod({ phase: 'Unknown', ready: false })],
    ['its pod is being deleted on a lost node', () => signals().node({ ready: false }).pod({ deletionTimestamp: at })],
    ['its node can not tell of its container', () => signals().node({ ready: false }).pod({ containerRunning: false })],
  ];
  for (const [what, seen] of doubts) {
    it(`is alive by a fresh Lease although ${what}`, () => {
      expect(watched().beats(seen(), 600_000).judges()).to.include({ verdict: 'Healthy' });
      expect(watched().beats(seen(), 600_000).judges().evidence).to.deep.equal([]);
    });
  }

  it('is silent by a silent Lease although node, kubelet and pod are well', () => {
    const well = silent().node({ ready: true }).pod({ phase: 'Running', ready: true, containerRunning: true });
    const judged = watched().sees(well).passes(6_000).judges();
    expect(judged).to.include({ verdict: 'Broken', trigger: 'Unreachable' });
    expect(judged.evidence.map(({ reason }) => reason)).to.deep.equal(['Unreachable']);
  });

  it('is late, and no failure, while the pod is gone and its recorder still sends heartbeats', () => {
    const judged = watched()
      .beats(signals().with({ pod: undefined }), 600_000)
      .judges();
    expect(judged).to.include({ verdict: 'Late', trigger: undefined });
    expect(find(judged.evidence, 'NoPod')).to.not.equal(undefined);
  });
});

describe('evidence beside the trigger', () => {
  const cases: [reason: string, what: string, seen: SignalsBuilder, time: string | undefined][] = [
    ['NodeGone', 'the node is gone', silent().node({ exists: false, ready: false }), undefined],
    ['NodeNotReady', 'the node is not ready', silent().node({ ready: false, readySince: at }), at],
    ['NoPod', 'there is no pod', silent().with({ pod: undefined }), undefined],
    [
      'PodEvicted',
      'the pod was evicted',
      silent().pod({ phase: 'Failed', ready: false, reason: 'Evicted', message: 'low on memory', endedTime: at }),
      at,
    ],
    ['PodEnded', 'the pod has ended', silent().pod({ phase: 'Failed', ready: false, endedTime: at }), at],
    [
      'PodTerminating',
      'the pod is stuck in Terminating on a lost node',
      silent().node({ ready: false }).pod({ deletionTimestamp: at, deletionStartTime: at }),
      at,
    ],
    [
      'PodNotStarted',
      'volumes or network are not there',
      silent().pod({ phase: 'Pending', ready: false, notStartedSince: at }),
      at,
    ],
    [
      'MountFailed',
      'a volume can not be mounted',
      silent().pod({
        ready: false,
        notStartedSince: at,
        mountFault: { reason: 'MountFailed', message: 'x', time: at },
      }),
      at,
    ],
    [
      'AttachFailed',
      'a volume can not be attached',
      silent().pod({ ready: false, mountFault: { reason: 'AttachFailed', message: 'x' } }),
      undefined,
    ],
    ['Unschedulable', 'no node takes the pod', silent().pod({ unschedulableMessage: '0/3 nodes' }), undefined],
    ['ClaimLost', 'a claim is Lost', silent().volume('a', { claimPhase: 'Lost' }), undefined],
    ['ClaimDeleted', 'a claim is gone', silent().volume('a', { claimUID: undefined, claimMissing: true }), undefined],
    ['ClaimTerminating', 'a claim is being deleted', silent().volume('a', { claimDeletionTime: at }), at],
    [
      'ClaimReplaced',
      'a claim is another one',
      silent().volume('a', { podClaim: { claimName: 'a-a', claimUID: 'c0' } }),
      undefined,
    ],
    ['VolumeFailed', 'a volume failed', silent().volume('a', { volumePhase: 'Failed', volumePhaseSince: at }), at],
    ['VolumeMissing', 'a volume is not there', silent().volume('a', { volumeMissing: true }), undefined],
    ['DiskLost', 'a disk takes no writes', silent().disks('Lost', 'Healthy'), '2026-01-02T03:00:00Z'],
    ['VolumeReplaced', 'a disk is another one', silent().disks('Replaced', 'Healthy'), '2026-01-02T03:00:00Z'],
  ];
  for (const [reason, what, seen, time] of cases) {
    it(`tells ${reason} when ${what}, since it began as far as is known`, () => {
      const judged = watched().sees(seen).passes(6_000).judges();
      expect(judged.trigger).to.equal('Unreachable');
      expect(judged.evidence[0]?.reason).to.equal('Unreachable');
      const entry = find(judged.evidence, reason);
      expect(entry?.time).to.equal(time);
      if (time === undefined) expect(entry?.ageMs).to.equal(6_000);
      expect(entry?.message).to.match(/\S/);
    });
  }

  it('keeps an eviction after the operator has made another pod, until the recorder is heard again', () => {
    const evicted = silent().pod({ phase: 'Failed', ready: false, reason: 'Evicted', endedTime: at });
    const next = silent().pod({
      uid: 'pod-2',
      phase: 'Pending',
      ready: false,
      reason: undefined,
      endedTime: undefined,
    });
    const replica = watched().sees(evicted).passes(1_000).sees(next).passes(5_000);
    expect(find(replica.judges().evidence, 'PodEvicted')?.time).to.equal(at);
    const back = next.lease({ holderIdentity: 'pod-2' }).pod({ phase: 'Running' });
    expect(find(replica.beats(back, 2_000).passes(6_000).judges().evidence, 'PodEvicted')).to.equal(undefined);
  });

  it('forgets what has passed, and begins anew when it comes back', () => {
    const lost = silent().volume('a', { claimPhase: 'Lost' });
    const replica = watched()
      .sees(lost)
      .passes(60_000)
      .sees(silent().volume('a', { claimPhase: 'Bound' }))
      .passes(1_000);
    expect(find(replica.judges().evidence, 'ClaimLost')).to.equal(undefined);
    replica.sees(silent().volume('a', { claimPhase: 'Lost' })).passes(2_000);
    expect(find(replica.judges().evidence, 'ClaimLost')?.ageMs).to.equal(2_000);
  });

  it('is bounded, whatever is amiss, and its messages too', () => {
    const volumes = Array.from({ length: 16 }, (_, index) => ({
      name: `v${index}`,
      claimName: 'c'.repeat(253),
      claimMissing: true,
    }));
    const { evidence } = watched().sees(silent().with({ volumes })).passes(6_000).judges();
    expect(evidence).to.have.length(16);
    expect(Math.max(...evidence.map(({ message }) => message.length))).to.be.at.most(256);
  });
});

describe('some disks dead is degraded, all dead is a failure', () => {
  type Row = {
    readonly what: string;
    /** The agent's word on disks a and b; undefined: it says nothing of them. */
    readonly agent: Disks | undefined;
    /** The cluster's word on both. */
    readonly cluster?: Parameters<SignalsBuilder['claims']>[0] | undefined;
    readonly verdict: 'Healthy' | 'Broken';
    readonly storage: string;
  };
  const gone = { claimUID: undefined, claimPhase: undefined, volumePhase: undefined, claimMissing: true };
  const rows: Row[] = [
    { what: 'both are well', agent: ['Healthy', 'Healthy'], verdict: 'Healthy', storage: 'DisksHealthy' },
    { what: 'one is lost', agent: ['Lost', 'Healthy'], verdict: 'Healthy', storage: 'SomeDisksLost' },
    { what: 'one is lost and one full', agent: ['Lost', 'Full'], verdict: 'Healthy', storage: 'SomeDisksLost' },
    { what: 'one is another', agent: ['Replaced', 'Healthy'], verdict: 'Healthy', storage: 'VolumeReplaced' },
    { what: 'both are full', agent: ['Full', 'Full'], verdict: 'Healthy', storage: 'DiskFull' },
    { what: 'both are lost', agent: ['Lost', 'Lost'], verdict: 'Broken', storage: 'AllDisksLost' },
    { what: 'both are others', agent: ['Replaced', 'Replaced'], verdict: 'Broken', storage: 'AllDisksLost' },
    { what: 'one is lost and one another', agent: ['Lost', 'Replaced'], verdict: 'Broken', storage: 'AllDisksLost' },
  ];
  const clusters: [what: string, word: Row['cluster'], reason: string, dead: boolean][] = [
    ['are Lost', { claimPhase: 'Lost' }, 'ClaimLost', true],
    ['have failed volumes', { volumePhase: 'Failed' }, 'VolumeFailed', true],
    ['are bound to volumes that are not there', { volumeMissing: true, volumePhase: undefined }, 'VolumeMissing', true],
    ['were deleted', gone, 'ClaimDeleted', true],
    ['are being deleted', { claimDeletionTime: at }, 'ClaimTerminating', false],
    [
      'were replaced under their names',
      { claimName: 'c', podClaim: { claimName: 'c', claimUID: 'other' } },
      'ClaimReplaced',
      false,
    ],
  ];
  for (const [what, cluster, reason, dead] of clusters) {
    const base = { cluster } as const;
    rows.push(
      {
        ...base,
        what: `claims ${what}, and the mounted disks take footage`,
        agent: ['Healthy', 'Healthy'],
        verdict: 'Healthy',
        storage: reason,
      },
      {
        ...base,
        what: `claims ${what}, and the mounted disks are full`,
        agent: ['Full', 'Full'],
        verdict: 'Healthy',
        storage: 'DiskFull',
      },
      {
        ...base,
        what: `claims ${what}, and one mounted disk takes footage`,
        agent: ['Lost', 'Healthy'],
        verdict: 'Healthy',
        storage: 'SomeDisksLost',
      },
      {
        ...base,
        what: `claims ${what}, and the mounted disks are dead`,
        agent: ['Lost', 'Lost'],
        verdict: 'Broken',
        storage: 'AllDisksLost',
      },
      {
        ...base,
        what: `claims ${what}, and after a restart the disks are others`,
        agent: ['Replaced', 'Replaced'],
        verdict: 'Broken',
        storage: 'AllDisksLost',
      },
      {
        ...base,
        what: `claims ${what}, and the agent says nothing of its disks`,
        agent: undefined,
        verdict: dead ? 'Broken' : 'Healthy',
        storage: dead ? 'AllDisksLost' : reason,
      },
    );
  }
  for (const { what, agent, cluster, verdict, storage } of rows) {
    it(`is ${verdict} and ${storage} when ${what}`, () => {
      const seen = signals();
      if (agent !== undefined) seen.disks(...agent);
      else seen.report({ volumes: [] });
      if (cluster !== undefined) seen.claims(cluster);
      const judged = watched().beats(seen, 60_000).judges();
      expect(judged.verdict).to.equal(verdict);
      expect(judged.trigger).to.equal(verdict === 'Broken' ? 'AllDisksLost' : undefined);
      expect(judged.storageHealthy.reason).to.equal(storage);
    });
  }

  it('knows a claim by the identity marker where the pod does not tell its uid', () => {
    const volumes = [
      { name: 'a', mountPath: '/footage/a', state: 'Healthy' as const, sinceTime: at, claimUID: 'c9' },
      { name: 'b', mountPath: '/footage/b', state: 'Healthy' as const, sinceTime: at, claimUID: 'c2' },
    ];
    const judged = watched().beats(signals().report({ volumes }), 10_000).judges();
    expect(judged).to.include({ verdict: 'Healthy' });
    expect(judged.storageHealthy).to.include({ status: 'False', reason: 'ClaimReplaced' });
    expect(judged.storageHealthy.message).to.contain('uid c1').and.to.contain('uid c9');
  });

  it('does not call a claim replaced that the spec does not name any more', () => {
    const outdated = { podClaim: { claimName: 'the-old-one', claimUID: 'c0' } };
    const judged = watched().beats(signals().volume('a', outdated), 10_000).judges();
    expect(judged.storageHealthy).to.include({ status: 'True' });
  });

  it('takes a claim made again for no loss while its volume comes', () => {
    const made = { claimUID: 'c7', claimPhase: 'Pending', volumePhase: undefined } as const;
    const judged = watched()
      .beats(signals().report({ volumes: [] }).claims(made), 60_000)
      .judges();
    expect(judged.trigger).to.equal(undefined);
  });
});

describe('evidence in the queue, the running failover and the history', () => {
  const seen = (reason: Evidence['reason'], more: Partial<Evidence> = {}): Evidence => ({
    reason,
    message: `${reason} was seen`,
    ageMs: 4_000,
    ...more,
  });
  function broken(...evidence: Evidence[]) {
    // Alone with its silence: several silent nodes would be a storm.
    return { ...health('Broken', 'Unreachable'), suspected: false, evidence };
  }
  function world(): PoolWorld {
    const pool = new PoolWorld().add('a').add('b').add(recordingServer('s1').standby());
    pool.backupsWork = false;
    pool.project();
    return pool.settle();
  }

  it('carries its time: as told, else when it was first seen', () => {
    const pool = world();
    pool.silenceAgent('s1').change('a', { health: broken(seen('Unreachable', { time: at }), seen('NodeGone')) });
    pool.decide();
    expect(pool.status.current?.evidence).to.deep.equal([
      { reason: 'Unreachable', message: 'Unreachable was seen', time: at },
      { reason: 'NodeGone', message: 'NodeGone was seen', time: new Date(pool.wall - 4_000).toISOString() },
    ]);
  });

  it('does not change by itself, however old it grows and whatever the wall clock does', () => {
    const pool = world();
    pool
      .silenceAgent('s1')
      .breaks('b')
      .change('a', { health: broken(seen('NodeGone')) });
    pool.decide();
    const before = JSON.stringify([pool.status.current?.evidence, pool.status.queue]);
    pool.wall += 86_400_000;
    pool.change('a', { health: broken(seen('NodeGone', { ageMs: 9_000 })) }).decide();
    expect(JSON.stringify([pool.status.current?.evidence, pool.status.queue])).to.equal(before);
  });

  it('takes in what comes later, once, and loses nothing of what was there', () => {
    const pool = world();
    pool
      .silenceAgent('s1')
      .change('b', { health: broken(seen('Unreachable')) })
      .change('a', { health: broken(seen('Unreachable')) });
    pool.decide();
    const [later, again] = [seen('NodeNotReady', { time: at }), seen('DiskLost')];
    pool
      .change('a', { health: broken(later) })
      .change('b', { health: broken(again) })
      .decide();
    expect(pool.status.current?.evidence?.map(({ reason }) => reason)).to.deep.equal(['Unreachable', 'NodeNotReady']);
    expect(pool.status.queue?.[0]?.evidence?.map(({ reason }) => reason)).to.include('DiskLost');
    const before = JSON.stringify(pool.status);
    pool.decide();
    expect(JSON.stringify(pool.status)).to.equal(before);
  });

  it('stays bounded when a server fails again and again while it waits', () => {
    const pool = world();
    pool
      .silenceAgent('s1')
      .breaks('a')
      .change('b', { health: broken(seen('Unreachable')) })
      .decide();
    for (let round = 0; round < 40; round += 1)
      pool.change('b', { health: broken(seen('Unreachable', { message: `no heartbeat since t${round}` })) }).decide();
    expect(pool.status.queue?.[0]?.evidence).to.have.length(16);
  });

  it('is kept in the history', () => {
    const pool = world();
    pool.backupsWork = true;
    pool.change('a', { health: broken(seen('Unreachable', { time: at }), seen('PodEvicted', { time: at })) }).settle();
    expect(pool.status.history?.[0]?.evidence?.map(({ reason, time }) => [reason, time])).to.deep.equal([
      ['Unreachable', at],
      ['PodEvicted', at],
    ]);
  });

  it('is completed in the history while the failure lasts, and not by what began long after', () => {
    const pool = world();
    pool.backupsWork = true;
    const silence = seen('Unreachable', { time: at });
    pool.change('a', { health: broken(silence) }).settle();
    const kept = () => pool.status.history?.[0]?.evidence?.map(({ reason }) => reason);
    expect(kept()).to.deep.equal(['Unreachable']);
    pool
      .advance(50_000)
      .change('a', { health: broken(silence, seen('NodeNotReady', { ageMs: 0 })) })
      .settle();
    expect(kept()).to.deep.equal(['Unreachable', 'NodeNotReady']);
    pool
      .advance(600_000)
      .change('a', { health: broken(silence, seen('NoPod', { ageMs: 0 })) })
      .settle();
    expect(kept()).to.deep.equal(['Unreachable', 'NodeNotReady']);
  });

  it('is not completed in the history by a later failure of the same server', () => {
    const pool = world();
    pool.backupsWork = true;
    pool.change('a', { health: broken(seen('Unreachable', { time: at })) }).settle();
    pool.recovers('a').settle();
    const again = seen('Unreachable', { message: 'no heartbeat since later', time: '2026-01-02T03:04:06Z' });
    pool.change('a', { health: broken(again, seen('NodeGone')) }).settle();
    expect(pool.status.history?.[0]?.evidence).to.have.length(1);
  });

  it('keeps the order of the queue when the wall clock is set back between two failures', () => {
    const pool = world().silenceAgent('s1');
    pool.add('c').project();
    pool.breaks('a').decide();
    pool.breaks('c').decide();
    pool.advance(1_000).wall -= 3_600_000;
    pool.breaks('b').decide();
    expect(pool.status.queue?.map(({ server }) => server)).to.deep.equal(['c', 'b']);
  });
});
