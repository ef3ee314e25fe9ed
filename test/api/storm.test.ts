import { expect } from 'chai';
import {
  API_VERSION,
  type FailoverPool,
  failoverPools,
  type RecordingServer,
  recordingServers,
} from '../../src/crds/index.js';
import { PooledKubeConfig } from '../../src/operator/api/pooled-kube-config.js';
import {
  createApiClient,
  type KubeClient,
  type KubeObject,
  type ResourceType,
  resources,
} from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { FakeRecorder } from './support/fake-recorder.js';
import { type OperatorUnderTest, quiet, startOperator, until } from './support/operator-under-test.js';
import { openRawApi, type RawApi } from './support/raw-api.js';

const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];
/** Node of each server. */
const nodes = { alpha: 'n1', beta: 'n2', spare: 'n3', 'spare-2': 'n3' };

describe('two of three nodes that fall silent at once', function () {
  this.timeout(120_000);
  const api = useApiCluster();
  const recorders = new Map<string, FakeRecorder>();
  let client: KubeClient & { close(): Promise<void> };
  let raw: RawApi;
  let operator: OperatorUnderTest;
  let namespace: string;

  const make = (type: ResourceType, kind: string, name: string, spec: Record<string, unknown>) =>
    client.create(type, { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec } as KubeObject);
  const read = <T extends KubeObject>(type: ResourceType, name: string) => client.get<T>(type, { namespace, name });
  const poolStatus = async () => (await read<FailoverPool>(failoverPools, 'site')).status;
  const when = (what: string, holds: (status: NonNullable<FailoverPool['status']>) => boolean) =>
    until(what, async () => {
      const status = await poolStatus();
      return status !== undefined && holds(status) ? status : undefined;
    });
  const condition = (status: FailoverPool['status'], type: string) =>
    status?.conditions?.find((known) => known.type === type);
  const recorder = (name: string) => recorders.get(name) ?? new FakeRecorder(client, namespace, name, []);
  /** Nodes are the cluster's, not the namespace's. */
  const nodeName = (node: string) => `${namespace}-${node}`;
  const nodeNames = () => [...new Set(Object.values(nodes))].map(nodeName);
  const setHold = (holdSeconds: number) =>
    client.patch(failoverPools, { namespace, name: 'site' }, { spec: { storm: { holdSeconds } } });

  /** Nobody schedules pods here. */
  async function bind(pod: string, node: string): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName(node) };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod, namespace }, target };
    const answer = await raw.call('POST', `/api/v1/namespaces/${namespace}/pods/${pod}/binding`, body);
    expect(answer.status, answer.message).to.equal(201);
  }

  async function startServer(name: string, type: string, node: string): Promise<void> {
    await make(recordingServers, 'RecordingServer', name, { volumes, type, poolRef: { name: 'site' } });
    await until(`the pod of ${name}`, () => read(resources.pods, name));
    await bind(name, node);
    recorders.set(name, recorder(name).start());
  }

  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('storm');
    const kubeConfig = new PooledKubeConfig();
    kubeConfig.loadFromFile(api.cluster.kubeconfigPath);
    client = createApiClient({ kubeConfig });
    raw = openRawApi(api.cluster.kubeconfigPath);
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
    const spec = { failoverTimeoutSeconds: 3, storm: { holdSeconds: 600 }, backup: { deadlineSeconds: 60 } };
    await make(failoverPools, 'FailoverPool', 'site', spec);
    // Pods on nodes that are not there would be collected as garbage after a minute.
    for (const name of nodeNames())
      await client.create(resources.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    for (const [name, node] of Object.entries(nodes))
      await startServer(name, name.startsWith('spare') ? 'Failover' : 'Standard', node);
    for (const name of Object.keys(nodes))
      await until(`${name} is ready`, async () => {
        const { status } = await read<RecordingServer>(recordingServers, name);
        return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') || undefined;
      });
    await quiet(operator);
  });

  after(async () => {
    await Promise.all([...recorders.values()].map((started) => started.cutPower()));
    await operator?.stop();
    for (const name of nodeNames()) await client?.delete(resources.nodes, { name });
    await client?.close();
    raw?.close();
  });

  it('are said to be survivable one by one while all is well', async () => {
    const status = await when('it is judged', (seen) => condition(seen, 'Protected')?.status === 'True');
    expect(condition(status, 'Protected')?.reason).to.equal('AllSurvivable');
    expect(condition(status, 'FailoversHeld')).to.include({ status: 'False', reason: 'NoStorm' });
    expect(condition(status, 'OperatorIsolated')).to.include({ status: 'Unknown', reason: 'NotYetObserved' });
    await until('alpha says so too', async () => {
      const { status: server } = await read<RecordingServer>(recordingServers, 'alpha');
      return server?.conditions?.find(({ type, reason }) => type === 'Protected' && reason === 'StandbyReady');
    });
  });

  it('are held, by one write, and nothing is moved or written while the hold lasts', async () => {
    await Promise.all([recorder('alpha').cutPower(), recorder('beta').cutPower()]);
    const held = await when('both wait', (seen) => seen.queue?.length === 2);
    expect(held.hold?.startTime).to.be.a('string');
    expect(held.hold?.releasedTime).to.equal(undefined);
    for (const { waitingFor } of held.queue ?? []) expect(waitingFor).to.match(/^FailoversHeld: /);
    expect(condition(held, 'FailoversHeld')).to.include({ status: 'True', reason: 'StormHold' });
    await quiet(operator);
    expect((await poolStatus())?.history).to.equal(undefined);
    expect((await poolStatus())?.current).to.equal(undefined);
  });

  it('stay held when the operator is restarted, which has seen none of them silent', async () => {
    const { hold } = (await poolStatus()) ?? {};
    await operator.stop();
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
    const again = await when('the hold counts anew', (seen) => seen.hold?.untilTime !== hold?.untilTime);
    expect(again.hold?.startTime).to.equal(hold?.startTime);
    await quiet(operator);
    expect((await poolStatus())?.hold).to.deep.equal(again.hold);
    expect((await poolStatus())?.current).to.equal(undefined);
  });

  it('are served as they come when one of them is heard again', async () => {
    recorder('beta').start();
    const moving = await when('the hold has ended', (seen) => seen.hold === undefined && seen.current !== undefined);
    expect(moving.current).to.include({ server: 'alpha', trigger: 'Unreachable' });
    expect(moving.roles?.map(({ name }) => name)).to.deep.equal(['alpha']);
    const done = await when('the failover is complete', (seen) => seen.current === undefined);
    expect(done.queue).to.equal(undefined);
    expect(condition(done, 'FailoversHeld')).to.include({ status: 'False', reason: 'NoStorm' });
  });

  it('are moved after holdSeconds when nobody comes back', async () => {
    await setHold(2);
    recorder('alpha').start();
    await until('alpha is heard', async () => {
      const { status } = await read<RecordingServer>(recordingServers, 'alpha');
      return status?.conditions?.some(({ type, status: is }) => type === 'Reachable' && is === 'True') || undefined;
    });
    await quiet(operator);
    const holder = (await poolStatus())?.roles?.find(({ name }) => name === 'alpha')?.holder ?? '';
    await Promise.all(['alpha', 'beta'].map((name) => recorder(name).cutPower()));
    const released = await when('the hold is released', (seen) => seen.hold?.releasedTime !== undefined);
    expect(released.hold?.reason).to.equal('Elapsed');
    const moved = await when('beta is recorded elsewhere', (seen) =>
      (seen.roles ?? []).some(({ name, holder: by }) => name === 'beta' && by !== 'beta'),
    );
    expect(moved.roles?.find(({ name }) => name === 'alpha')?.holder).to.equal(holder);
    expect(condition(await poolStatus(), 'FailoversHeld')?.reason).to.equal('HoldReleased');
  });
});
