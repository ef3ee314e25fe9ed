import { join } from 'node:path';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { API_VERSION, GROUP, VERSION } from '../../src/crds/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { until } from './support/operator-under-test.js';
import { type Answer, openRawApi, type RawApi } from './support/raw-api.js';

const chart = join(import.meta.dirname, '../../deploy/helm/understudy');
const time = '2026-11-22T10:00:00Z';
/** The API server looks for kinds that policies name every half minute, and ours may be new to it. */
const inForceWithinMs = 90_000;
/** Who asks; without one it is the cluster's administrator. */
type User = 'operator' | 'somebody' | undefined;

interface Expected {
  readonly where?: string;
  /** What the answer has to say, too. */
  readonly message?: RegExp;
  readonly limitMs?: number;
}

const current = (step: 'TakingOver' | 'BackingUp', trigger = 'Unreachable') => ({
  ...{ role: 'recorder-a', server: 'recorder-a', standby: 'standby-a', epoch: 4, step, trigger },
  committedTime: time,
});
const queue = [{ server: 'recorder-a', role: 'recorder-a', trigger: 'Unreachable', brokenTime: time }];

/** Every phase of a failover, and whether backups by hand are refused in it. */
const phases: readonly { readonly name: string; readonly status: object; readonly refused?: RegExp }[] = [
  { name: 'nothing runs', status: { epoch: 4 } },
  { name: 'a broken server is queued', status: { epoch: 4, queue } },
  {
    name: 'a standby takes over',
    status: { epoch: 4, queue: null, current: current('TakingOver') },
    refused: /the failover of recorder-a to standby-a runs \(epoch 4, TakingOver\)/,
  },
  {
    name: 'the baseline is made',
    status: { epoch: 4, current: current('BackingUp') },
    refused: /the failover of recorder-a to standby-a runs \(epoch 4, BackingUp\)/,
  },
  {
    name: 'a planned move runs',
    status: { epoch: 4, current: current('TakingOver', 'Maintenance') },
    refused: /the planned move of recorder-a to standby-a runs \(epoch 4, TakingOver\)/,
  },
  { name: 'it is over', status: { epoch: 4, current: null } },
];

describe('the admission of Backups', () => {
  const api = useApiCluster();
  let raw: RawApi;
  let namespace: string;
  /** Without a pool. */
  let empty: string;
  let operatorNamespace: string;
  let manifest: string;

  before(async function () {
    this.timeout(2 * inForceWithinMs);
    await installCrds(api.cluster);
    raw = openRawApi(api.cluster.kubeconfigPath);
    namespace = await testNamespace('admission');
    empty = await testNamespace('admission-empty');
    operatorNamespace = await testNamespace('admission-operator');
    for (const each of [namespace, empty]) await permit(each);
    for (const name of ['north', 'south']) {
      const pool = { apiVersion: API_VERSION, kind: 'FailoverPool', metadata: { name }, spec: {} };
      expect((await raw.call('POST', pathOf(namespace, 'failoverpools'), pool)).message).to.equal('');
    }
    // Bound to these namespaces alone: the API server is shared with other tests, which are no operator either.
    const watched = `--set=watchNamespaces={${namespace},${empty}}`;
    const image = '--set=image.repository=registry.example/understudy';
    const only = ['--show-only', 'templates/policies/backups.yaml'];
    const where = ['--namespace', operatorNamespace];
    manifest = await api.cluster.helm(['template', 'site', chart, ...where, image, watched, ...only]);
    await api.cluster.kubectl(['apply', '-f', '-'], manifest);
    await inForce();
  });

  after(async () => {
    if (manifest) await api.cluster.kubectl(['delete', '--ignore-not-found', '-f', '-'], manifest);
    raw?.close();
  });

  const pathOf = (where: string, plural: string) => `/apis/${GROUP}/${VERSION}/namespaces/${where}/${plural}`;
  const userName = (user: User) =>
    user === 'operator'
      ? `system:serviceaccount:${operatorNamespace}:site-understudy`
      : `system:serviceaccount:${namespace}:somebody`;

  /** Two service accounts; both may create Backups as far as permissions go: what refuses is the policy. */
  async function permit(where: string): Promise<void> {
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${where}`;
    const rules = [{ apiGroups: [GROUP], resources: ['backups'], verbs: ['create'] }];
    await raw.call('POST', `${rbac}/roles`, { metadata: { name: 'backups' }, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'backups' };
    const subjects = (['operator', 'somebody'] as const).map((user) => ({
      ...{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: userName(user) },
    }));
    const bound = await raw.call('POST', `${rbac}/rolebindings`, { metadata: { name: 'backups' }, roleRef, subjects });
    expect(bound.message).to.equal('');
  }

  /** Tries, and creates nothing. */
  function tryCreate(user: User, spec: object, where = namespace): Promise<Answer> {
    const body = { apiVersion: API_VERSION, kind: 'Backup', metadata: { generateName: 'try-' }, spec };
    const headers: Record<string, string> = user === undefined ? {} : { 'impersonate-user': userName(user) };
    return raw.call('POST', `${pathOf(where, 'backups')}?dryRun=All`, body, headers);
  }

  const byHand = (pool = 'north') => ({ poolRef: { name: pool } });
  const ofTakeover = { poolRef: { name: 'north' }, reason: 'Failover', epoch: 4 };
  const scheduled = { poolRef: { name: 'north' }, reason: 'Scheduled' };

  async function setPhase(status: object): Promise<void> {
    const answer = await raw.call('PATCH', `${pathOf(namespace, 'failoverpools')}/north/status`, { status });
    expect(answer.message).to.equal('');
  }

  /** The API server takes a new policy, and a new state of a pool, into account a moment later. */
  async function answers(status: number, user: User, spec: object, more: Expected = {}): Promise<void> {
    const look = async () => {
      const answer = await tryCreate(user, spec, more.where);
      const found = answer.status === status && (more.message?.test(answer.message) ?? true);
      if (!found) throw new Error(`${answer.status} ${answer.message}`);
      return true;
    };
    const what = `a Backup ${JSON.stringify(spec)} by ${user ?? 'the administrator'} is answered ${status}`;
    await until(what, look, more.limitMs);
  }

  /** Both policies refuse what they have to refuse. */
  async function inForce(): Promise<void> {
    await setPhase({ epoch: 4, current: current('TakingOver') });
    await answers(403, undefined, byHand(), { limitMs: inForceWithinMs });
    await answers(403, undefined, scheduled, { where: empty });
    await setPhase({ current: null });
    await answers(201, undefined, byHand());
  }

  for (const { name, status, refused } of phases) {
    describe(`while ${name}`, () => {
      before(async () => {
        await setPhase(status);
        await answers(refused === undefined ? 201 : 403, 'somebody', byHand(), refused && { message: refused });
      });

      for (const user of [undefined, 'somebody', 'operator'] as const) {
        it(`${refused === undefined ? 'takes' : 'refuses'} one by hand of ${user ?? 'an administrator'}`, async () => {
          const answer = await tryCreate(user, byHand());
          expect(answer.status, answer.message).to.equal(refused === undefined ? 201 : 403);
          if (refused === undefined) return;
          expect(answer.message).to.match(refused);
          expect(answer.message).to.contain(`kubectl -n ${namespace} wait --for=condition=Reconciling=false`);
          expect(answer.message).to.contain('failoverpool/north');
        });
      }

      it('takes the baselines of the operator itself', async () => {
        for (const spec of [ofTakeover, scheduled]) {
          const answer = await tryCreate('operator', spec);
          expect(answer.status, answer.message).to.equal(201);
        }
      });

      it('refuses the reasons of the operator to everybody else', async () => {
        for (const user of [undefined, 'somebody'] as const)
          for (const spec of [ofTakeover, scheduled]) {
            const answer = await tryCreate(user, spec);
            expect(answer.status, answer.message).to.equal(403);
            expect(answer.message).to.contain('spec.reason Failover and Scheduled belong to the operator itself');
          }
      });

      it('takes one by hand of another pool of the namespace', async () => {
        expect((await tryCreate('somebody', byHand('south'))).status).to.equal(201);
      });
    });
  }

  it('guards the reasons in a namespace without a pool, too, and takes backups by hand there', async () => {
    expect((await tryCreate(undefined, ofTakeover, empty)).status).to.equal(403);
    expect((await tryCreate('operator', ofTakeover, empty)).status).to.equal(201);
    expect((await tryCreate(undefined, byHand(), empty)).status).to.equal(201);
  });

  it('leaves namespaces alone that the release does not watch', async () => {
    const other = await testNamespace('admission-other');
    expect((await tryCreate(undefined, scheduled, other)).status).to.equal(201);
  });
});
