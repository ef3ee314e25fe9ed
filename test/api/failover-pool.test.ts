// Holds a fake recorder agent: without kubelets nobody else renews Leases and writes reports on a bare control plane.
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import {
  API_VERSION,
  backups,
  cameraAssignments,
  childNames,
  type FailoverPool,
  FIELD_MANAGER,
  failoverPools,
  GROUP,
  labels,
  type RecordingServer,
  recorderReports,
  recordingServers,
} from '../../src/crds/index.js';
import { assignmentOf } from '../../src/failover/server/assignment.js';
import {
  type Controller,
  createApiClient,
  createController,
  createEventRecorder,
  createLog,
  createMetrics,
  isApiError,
  type KubeClient,
  type KubeObject,
  resources,
  systemClock,
} from '../../src/operator/index.js';
import { createPoolReconciler, poolsOfServer, watchPools } from '../../src/reconcilers/failover-pool/index.js';
import { createObservations, type Observations } from '../../src/reconcilers/observations.js';
import { createWatches, type Watches } from '../../src/reconcilers/stores.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';

const timeoutSeconds = 3;
const cameraNames = ['door', 'yard'];

async function until<T>(what: string, ask: () => Promise<T | undefined>, timeoutMs = 20_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What the pod of a server does: renews its Lease every second, and reports the role that the pool gives it. */
class FakeAgent {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #server: string;
  readonly #podUID: string;
  #timer: NodeJS.Timeout | undefined;
  #reported = '';
  lastError: unknown;

  constructor(client: KubeClient, namespace: string, server: string, podUID: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#server = server;
    this.#podUID = podUID;
  }

  start(): void {
    const beat = () => {
      this.#beat().catch((error) => {
        this.lastError = error;
      });
    };
    beat();
    this.#timer = setInterval(beat, 1000);
  }

  /** The power cut: no word any more. */
  cutPower(): void {
    clearInterval(this.#timer);
  }

  async #beat(): Promise<void> {
    const namespace = this.#namespace;
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const name = childNames.lease(this.#server);
    await this.#client.patch(
      resources.leases,
      { namespace, name },
      {
        spec: { renewTime, holderIdentity: this.#podUID },
      },
    );
    await this.#report();
  }

  async #assignment(): Promise<{ role: string; epoch: number }> {
    const namespace = this.#namespace;
    const server = (await this.#client.get(recordingServers, { namespace, name: this.#server })) as RecordingServer;
    const pool = await this.#client
      .get(failoverPools, { namespace, name: 'north' })
      .catch((error) => (isApiError(error, 'notFound') ? undefined : Promise.reject(error)));
    const assignment = assignmentOf(server, (pool as FailoverPool | undefined)?.status);
    if (server.status?.servingRole !== assignment.role || server.status?.epoch !== assignment.epoch) {
      const status = { servingRole: assignment.role, epoch: assignment.epoch };
      await this.#client.patchStatus(recordingServers, { namespace, name: this.#server }, { status });
    }
    return assignment;
  }

  async #report(): Promise<void> {
    const { role, epoch } = await this.#assignment();
    if (this.#reported === `${role}/${epoch}`) return;
    const sinceTime = new Date().toISOString();
    const cameras = role === 'recorder-a' ? cameraNames : [];
    const status = {
      role,
      epoch,
      podUID: this.#podUID,
      version: '1.0.0',
      recordingService: { state: 'Ready', sinceTime },
      volumes: [{ name: 'a', mountPath: '/footage/a', state: 'Healthy', sinceTime, fileSystem: 'ext4' }],
      cameras: cameras.map((name) => ({ name, state: 'Recording', sinceTime, startTime: sinceTime })),
    };
    await this.#client.patchStatus(recorderReports, { namespace: this.#namespace, name: this.#server }, { status });
    this.#reported = `${role}/${epoch}`;
  }
}

describe('a failover pool on a real API server', function () {
  this.timeout(60_000);
  const api = useApiCluster();
  const agents = new Map<string, FakeAgent>();
  let client: KubeClient;
  let watches: Watches;
  let observations: Observations;
  let controller: Controller;
  let namespace: string;

  const typed = (kind: string, name: string): KubeObject => ({
    apiVersion: API_VERSION,
    kind,
    metadata: { namespace, name },
  });

  before(async () => {
    await installCrds(api.cluster);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(api.cluster.kubeconfigPath);
    client = createApiClient({ kubeConfig });
    namespace = await testNamespace('pool');
    await createPool();
    for (const [name, type] of [
      ['recorder-a', 'Standard'],
      ['recorder-b', 'Standard'],
      ['standby-a', 'Failover'],
      ['standby-b', 'Failover'],
    ] as const)
      await createServer(name, type);
    for (const name of cameraNames) {
      const source = { url: `rtsp://${name}.example/1`, credentialsSecretRef: { name: 'login' } };
      const spec = { serverRef: { name: 'recorder-a' }, source };
      await client.create(cameraAssignments, { ...typed('CameraAssignment', name), spec } as KubeObject);
    }
    await startOperator();
  });

  after(async () => {
    for (const agent of agents.values()) agent.cutPower();
    await controller?.stop(AbortSignal.abort());
    observations?.stop();
    await Promise.all((watches?.reflectors ?? []).map((reflector) => reflector.stop()));
    await client?.close();
  });

  async function createPool(): Promise<void> {
    const spec = { failoverTimeoutSeconds: timeoutSeconds };
    await client.create(failoverPools, { ...typed('FailoverPool', 'north'), spec } as KubeObject);
  }

  async function createServer(name: string, type: string): Promise<void> {
    const volumes = [{ name: 'a', mountPath: '/footage/a', claimName: `disk-${name}` }];
    const spec = { type, poolRef: { name: 'north' }, volumes };
    await client.create(recordingServers, { ...typed('RecordingServer', name), spec } as KubeObject);
    const ours = { [labels.server]: name, [labels.managedBy]: FIELD_MANAGER };
    const pod = await until(`the service account of ${name}'s pod`, async () => {
      const containers = [{ name: 'recorder', image: 'recorder' }];
      const object = {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels: ours } },
        spec: { containers, automountServiceAccountToken: false },
      };
      return client
        .create(resources.pods, object as KubeObject)
        .catch((error) => (isApiError(error, 'forbidden') ? createDefaultAccount() : Promise.reject(error)));
    });
    const lease = { ...typed('Lease', childNames.lease(name)), spec: { leaseDurationSeconds: timeoutSeconds } };
    lease.apiVersion = 'coordination.k8s.io/v1';
    lease.metadata.labels = ours;
    await client.create(resources.leases, lease as KubeObject);
    const report = typed('RecorderReport', childNames.report(name));
    report.metadata.labels = ours;
    await client.create(recorderReports, report);
    const agent = new FakeAgent(client, namespace, name, pod.metadata.uid ?? '');
    agents.set(name, agent);
    agent.start();
  }

  /** A bare API server has no controller that makes it. */
  async function createDefaultAccount(): Promise<undefined> {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } };
    await client.create(resources.serviceAccounts, account).catch((error) => {
      if (!isApiError(error, 'alreadyExists')) throw error;
    });
    return undefined;
  }

  async function startOperator(): Promise<void> {
    watches = createWatches({ client, namespaces: [namespace], operatorNamespace: namespace });
    const metrics = createMetrics();
    const log = createLog({ name: 'test', level: 'error' });
    const { stores } = watches;
    observations = createObservations({
      ...{ watches, clock: systemClock, lastServerContact: client.lastServerContact },
      onContactAgain: () => undefined,
      onVerdict: (key) => {
        for (const pool of poolsOfServer(stores, key)) controller.enqueue(pool);
      },
    });
    const reconcile = createPoolReconciler({
      ...{ client, stores, clock: systemClock },
      healthOf: observations.healthOf,
      contact: observations.contact,
      observationOf: observations.get,
      events: createEventRecorder({ client, controller: `${GROUP}/operator`, log, metrics }),
      notify: { server: () => {}, camerasOf: () => {} },
    });
    controller = createController({ name: 'pool', reconcile, metrics, log });
    watchPools(watches, (key) => controller.enqueue(key));
    for (const reflector of watches.reflectors) reflector.start();
    await Promise.all(watches.reflectors.map((reflector) => reflector.synced(AbortSignal.timeout(30_000))));
    observations.start();
    controller.start();
  }

  const pool = async () => (await client.get(failoverPools, { namespace, name: 'north' })) as FailoverPool;
  const when = (what: string, holds: (found: FailoverPool) => boolean) =>
    until(what, async () => {
      const found = await pool();
      return holds(found) ? found : undefined;
    });
  const condition = (found: FailoverPool, type: string) => found.status?.conditions?.find((one) => one.type === type);

  it('becomes Ready, lists its cameras Secrets, and then writes nothing more', async () => {
    const ready = await when('the standbys are seen', (found) => {
      const available = condition(found, 'StandbyAvailable')?.status === 'True';
      return available && condition(found, 'Ready')?.status === 'True' && found.status?.counts?.standby === 2;
    });
    const role = await client.get<KubeObject & { rules: unknown }>(resources.roles, {
      namespace,
      name: childNames.poolAccess('north'),
    });
    expect(role.rules).to.deep.equal([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['login'], verbs: ['get'] },
    ]);
    const leases = () => client.list(resources.leases, { namespace });
    const before = (await leases()).resourceVersion;
    await until('heartbeats have come and gone', async () =>
      BigInt((await leases()).resourceVersion) > BigInt(before) + 12n ? true : undefined,
    );
    expect((await pool()).metadata.resourceVersion).to.equal(ready.metadata.resourceVersion);
  });

  it('gives the role of a silent recorder to a standby, and goes on when its baseline is complete', async () => {
    agents.get('recorder-a')?.cutPower();
    const moved = await when('the takeover is proved', (found) => found.status?.current?.step === 'BackingUp');
    expect(moved.status?.current).to.include({ server: 'recorder-a', standby: 'standby-a', trigger: 'Unreachable' });
    const name = moved.status?.current?.backupName ?? '';
    await until('the baseline is ordered', () =>
      client
        .get(backups, { namespace, name })
        .catch((error) => (isApiError(error, 'notFound') ? undefined : Promise.reject(error))),
    );
    const complete = { type: 'Complete', status: 'True', reason: 'Complete', message: '' };
    const conditions = [{ ...complete, lastTransitionTime: '2026-01-02T03:04:05Z' }];
    await client.patchStatus(backups, { namespace, name }, { status: { conditions } });
    const done = await when('the failover is complete', (found) => found.status?.current === undefined);
    const [entry] = done.status?.history ?? [];
    expect(entry).to.include({ from: 'recorder-a', to: 'standby-a', outcome: 'Completed', backupName: name });
    expect(Date.parse(entry?.committedTime ?? '')).to.be.at.least(Date.parse(entry?.brokenTime ?? ''));
    expect(condition(done, 'OnSubstitute')?.status).to.equal('True');
    expect(condition(done, 'Ready')?.status).to.equal('True');
  });

  it('adopts its holders above every epoch when it is deleted and applied again', async () => {
    const before = await pool();
    await client.delete(failoverPools, { namespace, name: 'north' });
    await createPool();
    const again = await when('the pool has decided', (found) => found.status?.epoch !== undefined);
    expect(again.status?.epoch).to.be.greaterThan(before.status?.epoch ?? 0);
    const role = again.status?.roles?.find(({ name }) => name === 'recorder-a');
    expect(role).to.include({ holder: 'standby-a', epoch: before.status?.epoch });
  });

  it('moves the role on when its substitute is deleted', async () => {
    await when('the standby is seen', (found) => condition(found, 'StandbyAvailable')?.status === 'True');
    agents.get('standby-a')?.cutPower();
    await client.delete(recordingServers, { namespace, name: 'standby-a' });
    const moved = await when('the role moves on', (found) =>
      (found.status?.roles ?? []).some(({ holder }) => holder === 'standby-b'),
    );
    expect(moved.status?.current ?? moved.status?.history?.[0]).to.include({ trigger: 'ServerDeleted' });
  });

  it('refuses a stale decision: the API server itself keeps the epoch', async () => {
    const found = await pool();
    const stale = { ...found, status: { ...found.status, epoch: 1 } };
    const refused = await client.replaceStatus(failoverPools, stale).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(isApiError(refused, 'invalid'), String(refused)).to.equal(true);
  });
});
