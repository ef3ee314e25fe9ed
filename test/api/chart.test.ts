import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/operator/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';

const root = join(import.meta.dirname, '../..');
const chart = join(root, 'deploy/helm/understudy');
const image = '--set=image.repository=registry.example/understudy';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

describe('the Helm chart', () => {
  const api = useApiCluster();
  let namespace: string;
  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('chart');
    await api.cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
  });

  const render = (...args: string[]) =>
    api.cluster.helm(['template', 'site', chart, '--namespace', namespace, image, ...args]);
  const rendered = async (...args: string[]) =>
    parseAllDocuments(await render(...args))
      .map((document) => document.toJS() as KubeObject & { rules?: Rule[]; spec?: Record<string, unknown> })
      .filter((object) => object !== null);
  const refusal = async (...args: string[]) => {
    try {
      await render(...args);
    } catch (error) {
      return String(error);
    }
    throw new Error(`helm accepted ${args.join(' ')}`);
  };

  it('is accepted by the API server, every object of it, with its defaults', async () => {
    const objects = await render();
    const answer = await api.cluster.kubectl(
      ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--force-conflicts', '-f', '-'],
      objects,
    );
    const policies = ['validatingadmissionpolicy.admission', 'validatingadmissionpolicybinding.admission'];
    for (const kind of [
      'deployment.apps',
      'poddisruptionbudget.policy',
      'clusterrole.rbac',
      'role.rbac',
      ...policies,
    ]) {
      expect(answer).to.contain(kind);
    }
    expect(answer.match(/customresourcedefinition\S+ serverside-applied/g)).to.have.length(5);
  });

  it('runs pods that a namespace of the restricted pod security level admits', async () => {
    const deployment = (await rendered()).find((object) => object.kind === 'Deployment');
    const template = deployment?.spec?.template as { metadata: object; spec: object };
    // A Deployment is admitted with a warning whatever its pods are; only a pod is refused.
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: 'replica' },
      spec: template.spec,
    };
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'site-understudy' } };
    await api.cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], JSON.stringify(account));
    const create = (object: object) =>
      api.cluster.kubectl(['-n', namespace, 'create', '--dry-run=server', '-f', '-'], JSON.stringify(object));
    expect(await create(pod)).to.contain('pod/replica created');

    const privileged = { ...pod, spec: { ...pod.spec, hostNetwork: true } };
    const error = await create(privileged).then(
      () => 'admitted',
      (refused) => String(refused),
    );
    expect(error).to.contain('violates PodSecurity "restricted');
  });

  it('asks for no wildcard, no escalation, and never lists or changes Secrets', async () => {
    const rules = (await rendered()).flatMap((object) => object.rules ?? []);
    expect(rules).to.not.be.empty;
    for (const rule of rules) {
      const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs];
      expect(words, JSON.stringify(rule)).to.not.include('*');
      expect(rule.verbs.filter((verb) => ['escalate', 'bind', 'impersonate'].includes(verb))).to.deep.equal([]);
      if (rule.resources.includes('secrets')) expect([...rule.verbs].sort()).to.deep.equal(['create', 'delete', 'get']);
      if (rule.resources.includes('nodes')) expect([...rule.verbs].sort()).to.deep.equal(['get', 'list', 'watch']);
      if (rule.resources.includes('persistentvolumeclaims')) expect(rule.verbs).to.not.include('delete');
      // Of our kinds only Backups, the old ones, are ever deleted.
      const ours = rule.apiGroups.includes('understudy.dev') && rule.verbs.includes('delete');
      if (ours) expect(rule.resources).to.deep.equal(['backups']);
    }
  });

  it('touches the objects of named namespaces only, if there are any', async () => {
    const objects = await rendered(`--set=watchNamespaces={${namespace}}`);
    const clusterRules = objects
      .filter((object) => object.kind === 'ClusterRole')
      .flatMap((object) => object.rules ?? []);
    expect(clusterRules.flatMap((rule) => rule.resources)).to.deep.equal(['nodes', 'persistentvolumes']);
    const roles = objects.filter(
      (object) => object.kind === 'Role' && object.rules?.some((r) => r.resources.includes('secrets')),
    );
    expect(roles.map((role) => role.metadata.namespace)).to.deep.equal([namespace]);
  });

  it('keeps its replicas apart wherever two nodes take pods, each revision by itself', async () => {
    const spread = async (...args: string[]) => {
      const deployment = (await rendered(...args)).find((object) => object.kind === 'Deployment');
      const template = deployment?.spec?.template as { spec: { topologySpreadConstraints: Record<string, unknown>[] } };
      return template.spec.topologySpreadConstraints;
    };
    const [constraint, ...others] = await spread();
    expect(others).to.deep.equal([]);
    expect(constraint).to.deep.include({
      topologyKey: 'kubernetes.io/hostname',
      maxSkew: 1,
      whenUnsatisfiable: 'DoNotSchedule',
      nodeTaintsPolicy: 'Honor',
      matchLabelKeys: ['pod-template-hash'],
    });
    expect(constraint).to.not.have.property('minDomains');
    const own = 'topologySpreadConstraints[0]';
    const given = await spread(
      `--set=${own}.topologyKey=zone,${own}.maxSkew=2,${own}.whenUnsatisfiable=ScheduleAnyway`,
    );
    expect(given).to.deep.equal([{ topologyKey: 'zone', maxSkew: 2, whenUnsatisfiable: 'ScheduleAnyway' }]);
  });

  it('refuses values that it does not know or that can’t work, and names them', async () => {
    expect(await refusal('--set=replicaCount=3')).to.contain('replicaCount');
    expect(await refusal('--set=logLevel=loud')).to.contain('logLevel');
    expect(await refusal('--set=image.repository=')).to.contain('image.repository is needed');
    expect(await refusal('--set=leaderElection.renewDeadlineSeconds=15')).to.contain('renewDeadlineSeconds (15)');
  });

  it('leaves the CRDs, the policies and the budget out when told to', async () => {
    const without = ['--set=crds.install=false', '--set=admissionPolicies.install=false', '--set=replicas=1'];
    const kinds = (await rendered(...without)).map((object) => object.kind);
    expect(kinds).to.include('Deployment');
    expect(kinds).to.not.include('CustomResourceDefinition');
    expect(kinds).to.not.include('PodDisruptionBudget');
    expect(kinds).to.not.include('ValidatingAdmissionPolicy');
  });

  it('is installed with its notes, and its CRDs survive its removal', async () => {
    const own = await testNamespace('release');
    // The CRDs are there already, applied by hand. Its admission policies are not to reach into other tests.
    const where = ['--namespace', own, `--set=watchNamespaces={${own}}`];
    const notes = await api.cluster.helm(['install', 'site', chart, ...where, image, '--take-ownership']);
    expect(notes).to.contain('rollout status deployment/site-understudy');
    await api.cluster.helm(['uninstall', 'site', '--namespace', own]);
    expect(await api.cluster.kubectl(['-n', own, 'get', 'deployments', '-o', 'name'])).to.equal('');
    expect(await api.cluster.kubectl(['get', 'crd', 'failoverpools.understudy.dev', '-o', 'name'])).to.contain(
      'failoverpools',
    );
  });
});

describe('the samples', () => {
  const api = useApiCluster();
  let namespace: string;
  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('samples');
  });

  it('are accepted as they are, without a field that the API does not know', async () => {
    const folder = join(root, 'deploy/samples');
    const args = ['-n', namespace, 'apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', folder];
    const answer = await api.cluster.kubectl(args);
    expect(answer.match(/^recordingserver\S+ serverside-applied/gm)).to.have.length(3);
    expect(answer.match(/^cameraassignment\S+ serverside-applied/gm)).to.have.length(4);
    expect(answer).to.match(/^failoverpool\S+ serverside-applied/m);
  });

  it('are refused by the same command once a field is misspelt', async () => {
    const pool = await readFile(join(root, 'deploy/samples/10-pool.yaml'), 'utf8');
    const misspelt = pool.replace('failoverTimeoutSeconds', 'failoverTimeout');
    const error = await api.cluster
      .kubectl(
        ['-n', namespace, 'apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'],
        misspelt,
      )
      .then(
        () => 'accepted',
        (refused) => String(refused),
      );
    expect(error).to.contain('failoverTimeout');
  });
});
