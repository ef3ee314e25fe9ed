import { expect } from 'chai';
import { labels } from '../../../../src/crds/index.js';
import { buildClaim } from '../../../../src/reconcilers/recording-server/objects/claim.js';
import { buildDisruptionBudget } from '../../../../src/reconcilers/recording-server/objects/disruption-budget.js';
import { buildLease } from '../../../../src/reconcilers/recording-server/objects/lease.js';
import { buildPod, type PodInput } from '../../../../src/reconcilers/recording-server/objects/pod.js';
import { buildRole } from '../../../../src/reconcilers/recording-server/objects/role.js';
import { buildRoleService } from '../../../../src/reconcilers/recording-server/objects/service.js';
import { recordingServer } from '../../support/builders/recording-server.js';

const server = recordingServer('a').build();
const input: PodInput = {
  server,
  volumes: [{ name: 'tmp', mountPath: '/footage/a', claimName: 'tmp-a', claimUID: 'uid-claim' }],
  defaultImage: 'understudy:1',
  defaultImagePullPolicy: 'IfNotPresent',
  servingRole: '',
};
const hashOf = (change: Partial<PodInput>) =>
  buildPod({ ...input, ...change }).metadata.annotations?.[labels.templateHash];
const withTemplate = (podTemplate: NonNullable<typeof server.spec.podTemplate>) => ({
  ...input,
  server: recordingServer('a').spec({ podTemplate }).build(),
});

describe('the pod of a server', () => {
  const { spec, metadata } = buildPod(input);
  const [container] = spec.containers;

  it('meets the restricted pod security level', () => {
    expect(spec.securityContext).to.deep.equal({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container?.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('is never evicted because its node is not ready or unreachable', () => {
    expect(spec.tolerations).to.deep.equal([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
    ]);
    expect(spec.restartPolicy).to.equal('Always');
  });

  it('shares no node with another server of its pool', () => {
    expect(spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution).to.deep.equal([
      { labelSelector: { matchLabels: { [labels.pool]: 'pool' } }, topologyKey: 'kubernetes.io/hostname' },
    ]);
    expect(buildPod({ ...input, server: recordingServer('a').unmonitored().build() }).spec.affinity).to.equal(
      undefined,
    );
  });

  it('tells the recorder what the contract names', () => {
    const env = Object.fromEntries(
      (container?.env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.fieldRef?.fieldPath]),
    );
    expect(env).to.deep.equal({
      UNDERSTUDY_SERVER: 'a',
      UNDERSTUDY_NAMESPACE: 'ns',
      UNDERSTUDY_SERVER_UID: 'uid-a',
      UNDERSTUDY_POD_NAME: 'metadata.name',
      UNDERSTUDY_POD_UID: 'metadata.uid',
      UNDERSTUDY_VOLUMES: '[{"name":"tmp","mountPath":"/footage/a","claimName":"tmp-a","claimUID":"uid-claim"}]',
      UNDERSTUDY_ENGINE: 'ffmpeg',
      UNDERSTUDY_ENGINE_OPTIONS: '{}',
    });
  });

  it('keeps scratch space and volumes apart, whatever a volume is called', () => {
    expect(new Set(spec.volumes?.map(({ name }) => name)).size).to.equal(2);
    expect(container?.volumeMounts?.map(({ mountPath }) => mountPath)).to.deep.equal(['/footage/a', '/tmp']);
  });

  it('carries the serving role only while it serves one', () => {
    expect(metadata.labels).to.not.have.property(labels.servingRole);
    expect(buildPod({ ...input, servingRole: 'b' }).metadata.labels).to.have.property(labels.servingRole, 'b');
  });

  it('has the same hash whatever role it serves, and another one for another image or claim', () => {
    expect(hashOf({ servingRole: 'b' })).to.equal(hashOf({}));
    expect(hashOf({ defaultImage: 'understudy:2' })).to.not.equal(hashOf({}));
    expect(
      hashOf({ volumes: [{ ...(input.volumes[0] as PodInput['volumes'][number]), claimUID: 'other' }] }),
    ).to.not.equal(hashOf({}));
  });

  it('lets no label of the template replace one of ours', () => {
    const made = buildPod(withTemplate({ labels: { [labels.server]: 'x', site: 'north' } }));
    expect(made.metadata.labels).to.include({ [labels.server]: 'a', site: 'north' });
  });

  it('resolves names in the cluster on the host network, too', () => {
    expect(buildPod(withTemplate({ hostNetwork: true })).spec).to.include({
      hostNetwork: true,
      dnsPolicy: 'ClusterFirstWithHostNet',
    });
    expect(buildPod(withTemplate({ hostNetwork: true, dnsPolicy: 'Default' })).spec.dnsPolicy).to.equal('Default');
  });
});

describe('the other objects of a server', () => {
  it('grant no Secret at all when none is named', () => {
    const rules = buildRole(server, []).rules;
    expect(rules.some(({ resources }) => resources?.includes('secrets'))).to.equal(false);
  });

  it('grant each named Secret once', () => {
    const secrets = buildRole(server, ['b', 'a', 'b']).rules.find(({ resources }) => resources?.includes('secrets'));
    expect(secrets).to.deep.include({ resourceNames: ['a', 'b'], verbs: ['get'] });
  });

  it('let the recorder list the servers of its pool, and none without a pool', () => {
    const lists = (subject: typeof server) =>
      buildRole(subject, []).rules.filter(
        ({ resources, resourceNames }) => resources?.includes('recordingservers') && resourceNames === undefined,
      );
    expect(lists(server).map(({ verbs }) => verbs)).to.deep.equal([['list']]);
    expect(lists(recordingServer('a').unmonitored().build())).to.deep.equal([]);
  });

  it('let the recorder write nothing but its own Lease and report', () => {
    const writing = buildRole(server, []).rules.filter(({ verbs }) =>
      verbs.some((verb) => !['get', 'list', 'watch'].includes(verb)),
    );
    expect(writing.map(({ resources, resourceNames }) => [resources, resourceNames])).to.deep.equal([
      [['leases'], ['understudy-a']],
      [['recorderreports/status'], ['a']],
    ]);
  });

  it('hold a drain only while the pod serves a role', () => {
    expect(buildDisruptionBudget(server).spec).to.deep.equal({
      minAvailable: 1,
      selector: {
        matchLabels: { [labels.server]: 'a' },
        matchExpressions: [{ key: labels.recordingRole, operator: 'Exists' }],
      },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  it('keep a claim out of garbage collection', () => {
    const [volume] = server.spec.volumes;
    if (!volume) throw new Error('the server has a volume');
    expect(buildClaim(server, volume)?.metadata).to.not.have.property('ownerReferences');
    expect(buildClaim(server, { name: 'a', mountPath: '/a', claimName: 'mine' })).to.equal(undefined);
  });

  it('leave renewal time and holder of the Lease to the agent', () => {
    const { spec, metadata } = buildLease(server, 6, { role: 'a', epoch: 3, podUID: 'pod-1' });
    expect(spec).to.deep.equal({ leaseDurationSeconds: 6 });
    expect(metadata.annotations).to.deep.equal({
      [labels.leaseServingRole]: 'a',
      [labels.leaseEpoch]: '3',
      [labels.leaseAssignedPodUid]: 'pod-1',
    });
  });

  it('let the name of a role live on with its substitute when the home is deleted', () => {
    const substitute = recordingServer('s').standby().build();
    const owners = (home?: typeof server) =>
      buildRoleService({ role: 'a', home, substitute }).metadata.ownerReferences?.map(({ name, controller }) => [
        name,
        controller,
      ]);
    expect(owners(server)).to.deep.equal([
      ['a', true],
      ['s', false],
    ]);
    expect(owners()).to.deep.equal([['s', true]]);
    const { spec } = buildRoleService({ role: 'a', home: server });
    expect(spec).to.deep.include({ selector: { [labels.servingRole]: 'a' }, publishNotReadyAddresses: true });
  });
});
