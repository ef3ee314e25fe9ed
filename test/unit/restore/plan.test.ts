import { expect } from 'chai';
import { baselineCamera } from '../../../src/backup/index.js';
import type { FailoverPool, FailoverPoolStatus } from '../../../src/crds/index.js';
import { nothingToDo, planRestore, planText, type RestorePlan } from '../../../src/restore/index.js';
import type { Live } from '../../../src/restore/live.js';
import { camera, server } from '../backup/support/system.js';
import {
  alive,
  artifactOf,
  at,
  baseline,
  byName,
  emptyLive,
  now,
  provedPool,
  systemCameras,
  systemServers,
} from './support/baselines.js';

const sha = 'a'.repeat(64);
const artifact = { baseline: baseline(), sha256: sha, notes: [] };

/** The cluster as it was when the baseline was made. */
function sameLive(change: Partial<Live> = {}, status: Partial<FailoverPoolStatus> = {}): Live {
  const made = provedPool();
  const servers = systemServers().map(alive);
  const roles = made.status?.roles?.map((role) => ({ ...role, holderUID: 'uid-standby-a' })) ?? [];
  const pool: FailoverPool = { ...made, status: { ...made.status, roles, ...status } };
  return emptyLive({ pool, servers: byName(...servers), cameras: byName(...systemCameras().map(alive)), ...change });
}

const plan = (live: Live, cameras?: readonly string[]): RestorePlan => planRestore({ artifact, live, cameras, now });
const actions = (made: RestorePlan): string[] =>
  made.objects.map(({ type, name, action }) => `${action} ${type.kind} ${name}`);
const left = (made: RestorePlan): string[] => made.left.map(({ type, name, why }) => `${type.kind} ${name} ${why}`);
const problems = (made: RestorePlan): string[] => made.problems.map(({ kind, message }) => `${kind}: ${message}`);

describe('the plan of a restore', () => {
  it('makes everything in an empty namespace: the pool, then servers, then cameras', () => {
    const made = plan(emptyLive());
    expect(actions(made)).to.deep.equal([
      'create FailoverPool north',
      'create RecordingServer recorder-a',
      'create RecordingServer recorder-b',
      'create RecordingServer standby-a',
      'create RecordingServer standby-b',
      'create CameraAssignment door',
      'create CameraAssignment gate',
      'create CameraAssignment yard',
    ]);
    expect(made.writesStatus).to.equal(true);
    expect(made.epoch).to.deep.equal({ from: 0, to: 4 });
    expect([made.left, made.problems, made.warnings]).to.deep.equal([[], [], []]);
  });

  it('writes objects as they were: name, labels, annotations, spec, and nothing of a status', () => {
    const [pool] = plan(emptyLive({ namespace: 'other' })).objects;
    expect(pool?.manifest).to.deep.equal({
      apiVersion: 'understudy.dev/v1alpha1',
      kind: 'FailoverPool',
      metadata: { name: 'north', namespace: 'other', labels: { region: 'north' }, annotations: { note: 'kept' } },
      spec: provedPool().spec,
    });
  });

  it('has nothing to do where everything is as it was', () => {
    const made = plan(sameLive());
    expect(nothingToDo(made)).to.equal(true);
    expect(actions(made).every((line) => line.startsWith('same '))).to.equal(true);
  });

  it('names the fields of what differs, and makes only what is missing', () => {
    const live = sameLive();
    const changed = camera('door');
    changed.spec.priority = 'Low';
    const cameras = new Map([...live.cameras, ['door', changed]]);
    cameras.delete('gate');
    const made = plan({ ...live, cameras });
    expect(actions(made).filter((line) => !line.startsWith('same '))).to.deep.equal([
      'change CameraAssignment door',
      'create CameraAssignment gate',
    ]);
    expect(made.objects.flatMap(({ changes }) => changes)).to.deep.equal([
      { path: 'spec.priority', from: 'Low', to: 'Normal' },
    ]);
    expect(made.writesStatus).to.equal(false);
  });

  it('leaves what the baseline does not know, and deletes nothing', () => {
    const live = sameLive();
    const servers = new Map([...live.servers, ['extra', alive(server('extra'))]]);
    const cameras = new Map([...live.cameras, ['new', camera('new')], ['foreign', camera('foreign', 1, 'elsewhere')]]);
    expect(left(plan({ ...live, servers, cameras }))).to.deep.equal([
      'RecordingServer extra is not in the baseline',
      'CameraAssignment new is not in the baseline',
    ]);
  });

  it('leaves a camera that belongs to a recorder of another pool by now', () => {
    const live = sameLive();
    const south = { ...server('south-1'), spec: { ...server('south-1').spec, poolRef: { name: 'south' } } };
    const cameras = new Map([...live.cameras, ['door', camera('door', 1, 'south-1')]]);
    const made = plan({ ...live, servers: new Map([...live.servers, ['south-1', south]]), cameras });
    expect(left(made)).to.deep.equal(['CameraAssignment door belongs to a recorder of pool south now']);
    expect(actions(made)).not.to.include('change CameraAssignment door');
  });

  it('restores one camera and touches nothing else', () => {
    const live = sameLive({ cameras: new Map() });
    const made = plan(live, ['gate']);
    expect(actions(made)).to.deep.equal(['create CameraAssignment gate']);
    expect([made.writesStatus, made.left, made.roles]).to.deep.equal([false, [], []]);
  });

  it('refuses a camera that the baseline does not have, and says which it has', () => {
    expect(problems(plan(sameLive(), ['dor']))).to.deep.equal([
      'Artifact: the baseline has no camera dor; it has door, gate, yard',
    ]);
  });

  it('warns of one camera whose home is not there', () => {
    expect(plan(emptyLive(), ['yard']).warnings.join()).to.contain(
      'the home recorder-b of camera yard is not in the cluster',
    );
  });

  it('warns of missing Secrets, and of changes by which roles move', () => {
    const live = sameLive({ missingSecrets: ['login-door'] });
    const resting = alive(server('recorder-b'));
    resting.spec.operatingMode = 'Maintenance';
    const made = plan({ ...live, servers: new Map([...live.servers, ['recorder-b', resting]]) });
    expect(made.warnings[0]).to.contain('Secrets that are not in namespace site: login-door');
    expect(made.warnings[1]).to.contain('RecordingServer recorder-b: spec.operatingMode becomes Normal');
  });

  it('refuses to take a server from another pool', () => {
    const live = sameLive();
    const taken = alive(server('recorder-b'));
    taken.spec.poolRef = { name: 'south' };
    const made = plan({ ...live, servers: new Map([...live.servers, ['recorder-b', taken]]) });
    expect(problems(made).join()).to.match(/^Cluster: RecordingServer recorder-b is of pool south/);
  });

  describe('in the middle of a failover', () => {
    const current = {
      role: 'recorder-b',
      server: 'recorder-b',
      standby: 'standby-b',
      epoch: 4,
      step: 'TakingOver' as const,
      trigger: 'Unreachable' as const,
      committedTime: at,
    };
    const entry = { server: 'recorder-b', role: 'recorder-b', trigger: 'AllDisksLost' as const, brokenTime: at };

    it('is refused, and says which role moves', () => {
      const [problem] = problems(plan(sameLive({}, { current })));
      expect(problem).to.contain('FailoverRunning: the role recorder-b moves from recorder-b to standby-b at epoch 4');
    });

    it('is refused while a broken server waits, and says which and for what', () => {
      const queue = [{ ...entry, waitingFor: 'NoStandby: none is ready' }];
      const [problem] = problems(plan(sameLive({}, { queue })));
      expect(problem).to.contain(
        'FailoverRunning: recorder-b broke and waits for its failover (NoStandby: none is ready)',
      );
    });

    it('is refused for one camera, too', () => {
      expect(problems(plan(sameLive({}, { current }), ['door']))).to.have.length(1);
    });

    it('is not refused for a server that waits only because it was deleted, and comes back by this', () => {
      const queue = [{ ...entry, server: 'standby-a', role: 'recorder-a', trigger: 'ServerDeleted' as const }];
      const live = sameLive({}, { queue });
      const servers = new Map(live.servers);
      servers.delete('standby-a');
      const made = plan({ ...live, servers });
      expect(made.problems).to.deep.equal([]);
      expect(made.roles[0]).to.include({ action: 'restore', holder: 'standby-a' });
    });
  });

  it('is refused while another baseline is being restored, and finishes the same one', () => {
    const restore = (sha256: string) => ({ restore: { sha256, startTime: at } });
    expect(problems(plan(sameLive({}, restore('b'.repeat(64))))).join()).to.match(/^Cluster: the restore of another/);
    const again = plan(sameLive({}, restore(sha)));
    expect([again.problems, again.writesStatus, nothingToDo(again)]).to.deep.equal([[], true, false]);
  });

  it('reads as lines, one for each thing, and counts what it does not show', async () => {
    const cameras = Array.from({ length: 30 }, (_, i) => baselineCamera(camera(`c${i}`)));
    const many = await artifactOf({ ...baseline(), cameras });
    const made = planRestore({ artifact: many, live: emptyLive(), now });
    const heading = { artifact: many, from: 'file x', server: 'https://x' };
    const text = planText(made, heading).split('\n');
    expect(text[0]).to.equal(
      'baseline  pool north of namespace site at epoch 3: 4 servers, 30 cameras (operator 0.1.0)',
    );
    expect(text).to.include('create    RecordingServer recorder-a');
    expect(text).to.include('          and 15 more (--all shows them)');
    expect(text).to.include('role      recorder-a -> standby-a at epoch 3');
    expect(text.at(-1)).to.equal('35 to create, 0 to change, 0 the same, 0 left; epoch of the pool 0 -> 4');
    expect(planText(made, { ...heading, all: true })).to.contain('create    CameraAssignment c29');
  });
});
