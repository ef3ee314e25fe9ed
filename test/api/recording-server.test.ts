import { expect } from 'chai';
import {
  API_VERSION,
  backups,
  cameraAssignments,
  childNames,
  failoverPools,
  type RecordingServer,
  recorderReports,
  recordingServers,
} from '../../src/crds/index.js';
import { isApiError, type KubeObject, type ResourceType, resources } from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { type OperatorUnderTest, quiet, startOperator, until } from './support/operator-under-test.js';

type Manifest = KubeObject & { spec: Record<string, unknown> };

function server(name: string, spec: Record<string, unknown> = {}): Manifest {
  const volumes = [{ name: 'footage', mountPath: '/footage/a', claimTemplate: { storage: '1Gi' } }];
  return { apiVersion: API_VERSION, kind: 'RecordingServer', metadata: { name }, spec: { volumes, ...spec } };
}

describe('a RecordingServer on a real API server', function () {
  this.timeout(90_000);
  const api = useApiCluster();
  let namespace: string;
  let operator: OperatorUnderTest;

  before(async () => {
    await installCrds(api.cluster);
  });
  beforeEach(async () => {
    namespace = await testNamespace('rsrv');
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
  });
  afterEach(() => operator.stop());

  const make = (type: ResourceType, object: Manifest) =>
    operator.client.create(type, { ...object, metadata: { ...object.metadata, namespace } });
  const read = <T extends KubeObject>(type: ResourceType, name: string) =>
    operator.client.get<T>(type, { namespace, name });
  const find = async (type: ResourceType, name: string): Promise<KubeObject | undefined> => {
    try {
      return await read(type, name);
    } catch (error) {
      if (isApiError(error, 'notFound')) return undefined;
      throw error;
    }
  };
  const condition = (name: string, type: string, reason: string) =>
    until(`${name} is ${type}/${reason}`, async () => {
      const { status } = await read<RecordingServer>(recordingServers, name);
      return status?.conditions?.find((entry) => entry.type === type && entry.reason === reason);
    });
  const gone = (type: ResourceType, name: string) =>
    until(`${type.plural} ${name} is gone`, async () => ((await find(type, name)) ? undefined : true), 40_000);

  const ownedChildren: readonly (readonly [ResourceType, (name: string) => string])[] = [
    [resources.pods, childNames.pod],
    [resources.leases, childNames.lease],
    [recorderReports, childNames.report],
    [resources.serviceAccounts, childNames.access],
    [resources.roles, childNames.access],
    [resources.roleBindings, childNames.access],
    [resources.podDisruptionBudgets, childNames.disruptionBudget],
    [resources.services, childNames.roleService],
  ];

  it('gets all its objects, each owned by it, and a claim that is not', async () => {
    const made = await make(recordingServers, server('alpha'));
    for (const [type, nameOf] of ownedChildren) {
      const child = await until(`${type.plural} is made`, () => find(type, nameOf('alpha')));
      expect(child.metadata.ownerReferences?.[0], type.plural).to.include({ uid: made.metadata.uid, controller: true });
    }
    const claim = await until('the claim', () => find(resources.persistentVolumeClaims, 'footage-alpha'));
    expect(claim.metadata.ownerReferences).to.equal(undefined);
    const pod = await until('the pod', () => find(resources.pods, 'alpha'));
    const status = await until('the pod is in status', async () => {
      const found = (await read<RecordingServer>(recordingServers, 'alpha')).status;
      return found?.podUID === pod.metadata.uid ? found : undefined;
    });
    expect(status).to.include({ state: 'Pending', servingRole: 'alpha', epoch: 1 });
  });

  it('writes nothing once all is made, and nothing after a restart', async () => {
    await make(failoverPools, { metadata: { name: 'site' }, spec: {}, apiVersion: API_VERSION, kind: 'FailoverPool' });
    await make(recordingServers, server('alpha', { poolRef: { name: 'site' } }));
    await make(recordingServers, server('spare', { type: 'Failover', poolRef: { name: 'site' } }));
    await until(
      'both pods',
      async () => ((await find(resources.pods, 'alpha')) && (await find(resources.pods, 'spare'))) || undefined,
    );
    await quiet(operator);
    await operator.stop();
    operator = await startOperator(api.cluster.kubeconfigPath, namespace);
    await quiet(operator, 4_000);
    expect(operator.written).to.deep.equal([]);
  });

  it('makes again what somebody deleted, and nothing else', async () => {
    await make(recordingServers, server('alpha'));
    await until('the pod', () => find(resources.pods, 'alpha'));
    await quiet(operator);
    operator.written.length = 0;
    const before = await read(resources.podDisruptionBudgets, childNames.disruptionBudget('alpha'));
    await operator.client.delete(resources.podDisruptionBudgets, { namespace, name: before.metadata.name });
    await until('another budget', async () => {
      const found = await find(resources.podDisruptionBudgets, before.metadata.name);
      return found && found.metadata.uid !== before.metadata.uid ? found : undefined;
    });
    await quiet(operator);
    expect(operator.written).to.deep.equal([`create poddisruptionbudgets ${before.metadata.name}`]);
  });

  it('takes away what is no longer in the template of the role Service', async () => {
    const serviceTemplate = { annotations: { keep: '1', drop: '1' }, labels: { drop: '1' } };
    await make(recordingServers, server('alpha', { serviceTemplate }));
    await until('the Service', () => find(resources.services, 'alpha'));
    await operator.client.patch(
      recordingServers,
      { namespace, name: 'alpha' },
      { spec: { serviceTemplate: { annotations: { keep: '2', drop: null }, labels: null } } },
    );
    const { annotations, labels } = await until('the Service is changed', async () => {
      const { metadata } = await read(resources.services, 'alpha');
      return metadata.annotations?.keep === '2' ? metadata : undefined;
    });
    expect(annotations).to.not.have.property('drop');
    expect(labels).to.not.have.property('drop');
  });

  it('stalls on an unknown pool without making anything, and starts once the pool is there', async () => {
    await make(recordingServers, server('alpha', { poolRef: { name: 'site' } }));
    expect((await condition('alpha', 'Stalled', 'PoolNotFound')).message).to.contain('site');
    expect((await condition('alpha', 'Ready', 'PoolNotFound')).status).to.equal('False');
    await quiet(operator);
    for (const [type, nameOf] of ownedChildren)
      expect(await find(type, nameOf('alpha')), type.plural).to.equal(undefined);
    await make(failoverPools, { metadata: { name: 'site' }, spec: {}, apiVersion: API_VERSION, kind: 'FailoverPool' });
    await until('the pod', () => find(resources.pods, 'alpha'));
    expect((await condition('alpha', 'Stalled', 'AsExpected')).status).to.equal('False');
  });

  it('stalls on a claim that does not exist, and starts once it does', async () => {
    await make(
      recordingServers,
      server('alpha', { volumes: [{ name: 'a', mountPath: '/footage/a', claimName: 'disk' }] }),
    );
    expect((await condition('alpha', 'Stalled', 'ClaimNotFound')).message).to.contain('disk');
    await make(resources.persistentVolumeClaims, {
      metadata: { name: 'disk' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await until('the pod', () => find(resources.pods, 'alpha'));
  });

  it('keeps the Lease and the pod of a running server whose claim goes, but makes no other pod', async () => {
    await make(resources.persistentVolumeClaims, {
      metadata: { name: 'disk' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const volumes = [{ name: 'a', mountPath: '/footage/a', claimName: 'disk' }];
    await make(recordingServers, server('alpha', { volumes }));
    const pod = await until('the pod', () => find(resources.pods, 'alpha'));
    const lease = await until('the Lease', () => find(resources.leases, childNames.lease('alpha')));
    await operator.client.delete(resources.persistentVolumeClaims, { namespace, name: 'disk' });
    await condition('alpha', 'Stalled', 'ClaimNotFound');
    await operator.client.delete(resources.leases, { namespace, name: lease.metadata.name });
    await until('another Lease', async () => {
      const found = await find(resources.leases, lease.metadata.name);
      return found && found.metadata.uid !== lease.metadata.uid ? found : undefined;
    });
    expect((await read(resources.pods, 'alpha')).metadata.uid).to.equal(pod.metadata.uid);
    await operator.client.delete(resources.pods, { namespace, name: 'alpha' }, { gracePeriodSeconds: 0 });
    await gone(resources.pods, 'alpha');
    await quiet(operator);
    expect(await find(resources.pods, 'alpha')).to.equal(undefined);
  });

  it('leaves a claim to the server that was there first', async () => {
    const volumes = [{ name: 'footage', mountPath: '/footage/a', claimName: 'footage-alpha' }];
    await make(recordingServers, server('alpha'));
    await until('the pod', () => find(resources.pods, 'alpha'));
    await make(recordingServers, server('beta', { volumes }));
    expect((await condition('beta', 'Stalled', 'ClaimInUse')).message).to.contain('alpha');
    expect(await find(resources.pods, 'beta')).to.equal(undefined);
    expect((await condition('alpha', 'Stalled', 'AsExpected')).status).to.equal('False');
  });

  it('never touches a foreign object of the same name', async () => {
    const foreign = await make(resources.services, { metadata: { name: 'alpha' }, spec: { ports: [{ port: 80 }] } });
    await make(recordingServers, server('alpha'));
    expect((await condition('alpha', 'Stalled', 'NameTaken')).message).to.contain('Service alpha');
    await until('the pod all the same', () => find(resources.pods, 'alpha'));
    const after = await read(resources.services, 'alpha');
    expect(after.metadata.resourceVersion).to.equal(foreign.metadata.resourceVersion);
    await operator.client.delete(resources.services, { namespace, name: 'alpha' });
    expect((await condition('alpha', 'Stalled', 'AsExpected')).status).to.equal('False');
  });

  it('takes its objects with it when it is deleted, and leaves the footage claim', async () => {
    await make(recordingServers, server('alpha'));
    await until('the pod', () => find(resources.pods, 'alpha'));
    await quiet(operator, 1_000);
    await operator.client.delete(recordingServers, { namespace, name: 'alpha' });
    await gone(recordingServers, 'alpha');
    for (const [type, nameOf] of ownedChildren) await gone(type, nameOf('alpha'));
    expect(await find(resources.persistentVolumeClaims, 'footage-alpha')).to.not.equal(undefined);
  });

  it('lets its namespace be deleted in the middle of its work', async () => {
    await make(failoverPools, { metadata: { name: 'site' }, spec: {}, apiVersion: API_VERSION, kind: 'FailoverPool' });
    await make(recordingServers, server('alpha', { poolRef: { name: 'site' } }));
    await make(backups, {
      metadata: { name: 'one' },
      spec: { poolRef: { name: 'site' } },
      apiVersion: API_VERSION,
      kind: 'Backup',
    });
    await make(cameraAssignments, {
      apiVersion: API_VERSION,
      kind: 'CameraAssignment',
      metadata: { name: 'gate' },
      spec: { serverRef: { name: 'alpha' }, source: { url: 'rtsp://camera.example/1' } },
    });
    await until('the Lease', () => find(resources.leases, childNames.lease('alpha')));
    await operator.client.delete(resources.namespaces, { name: namespace });
    await until(
      'the namespace is gone',
      async () => {
        try {
          await operator.client.get(resources.namespaces, { name: namespace });
          return undefined;
        } catch (error) {
          if (isApiError(error, 'notFound')) return true;
          throw error;
        }
      },
      60_000,
    );
  });
});
