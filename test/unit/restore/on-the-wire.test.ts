// On a fake API server on loopback: what is looked at is the requests themselves, in their order and to the letter.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { encodeBaseline } from '../../../src/backup/index.js';
import { runRestore } from '../../../src/cli/restore/command.js';
import { type FailoverPool, failoverPools } from '../../../src/crds/index.js';
import { resources } from '../../../src/operator/index.js';
import { LoopbackApiServer, type RecordedRequest } from '../support/loopback-api-server.js';
import { baseline } from './support/baselines.js';

const isReview = ({ path }: RecordedRequest): boolean => path.endsWith('/selfsubjectaccessreviews');
const isDryRun = ({ query }: RecordedRequest): boolean => query.get('dryRun') === 'All';
const isApply = (request: RecordedRequest): boolean => request.method === 'PATCH' && !isDryRun(request);
const isStatus = ({ method, path }: RecordedRequest): boolean => method === 'PUT' && path.endsWith('/north/status');

describe('a restore on the wire', () => {
  let server: LoopbackApiServer;
  let folder: string;

  beforeEach(async () => {
    server = await LoopbackApiServer.start();
    folder = await mkdtemp(join(tmpdir(), 'understudy-wire-'));
    await writeFile(join(folder, 'baseline.json'), (await encodeBaseline(baseline())).json);
    const cluster = { server: server.url, 'insecure-skip-tls-verify': true };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 'valid' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    };
    await writeFile(join(folder, 'config'), stringify(config));
    server.put(resources.namespaces, { metadata: { name: 'site' } });
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  /** Reviews are answered and dry runs done as the real server does it: nothing is kept. */
  function answer(allowed: boolean, dryRun: { status: number; body: object }): void {
    server.fail(isReview, { kind: 'status', status: 201, body: { status: { allowed } } }, 100);
    server.fail(isDryRun, { kind: 'status', ...dryRun }, 100);
  }

  async function restore(...more: string[]): Promise<{ code: number; text: string }> {
    const said: string[] = [];
    const say = (text: string) => said.push(text);
    const argv = ['--file', join(folder, 'baseline.json'), '--kubeconfig', join(folder, 'config'), ...more];
    const code = await runRestore(argv, { out: say, err: say });
    return { code, text: said.join('\n') };
  }

  /** An operator that has read the roles. */
  async function takesNote(): Promise<void> {
    await server.until(() => server.count(isStatus) > 0, 'the roles are written');
    const key = 'site/north';
    const pool = server.store.get('understudy.dev/v1alpha1/failoverpools', key) as unknown as FailoverPool;
    const conditions = [{ type: 'Ready', status: 'False', reason: 'Restoring', message: '', lastTransitionTime: '' }];
    server.put(failoverPools, { ...pool, status: { ...pool.status, conditions } } as never);
  }

  it('asks, rehearses, and then applies as its own manager, never by force', async () => {
    answer(true, { status: 200, body: {} });
    const [{ code, text }] = await Promise.all([restore('--apply'), takesNote()]);
    expect(code, text).to.equal(0);
    const writes = server.requests.filter(({ method }) => method !== 'GET');
    const kinds = writes.map((request) =>
      isReview(request) ? 'review' : isDryRun(request) ? 'dry run' : isApply(request) ? 'apply' : 'status',
    );
    const counted = (kind: string) => kinds.filter((one) => one === kind).length;
    expect([counted('review'), counted('dry run'), counted('apply'), counted('status')]).to.deep.equal([8, 8, 8, 2]);
    expect(kinds.indexOf('apply')).to.equal(16);
    expect([kinds[17], kinds.at(-1)]).to.deep.equal(['status', 'status']);
    for (const request of server.requests.filter(isApply)) {
      expect(request.headers['content-type']).to.equal('application/apply-patch+yaml');
      expect(request.query.toString()).to.equal('fieldManager=understudy-restore&force=false');
      expect(request.body).to.have.all.keys('apiVersion', 'kind', 'metadata', 'spec');
    }
    expect(server.requests.filter(isStatus).map(({ query }) => query.toString())).to.deep.equal([
      'fieldManager=understudy-restore',
      'fieldManager=understudy-restore',
    ]);
    const review = server.requests.find(isReview)?.body as { spec: { resourceAttributes: object } };
    expect(review.spec.resourceAttributes).to.include({ namespace: 'site', group: 'understudy.dev' });
  });

  it('writes nothing when a single dry run is refused, and repeats what the server said', async () => {
    const message = 'failed to create typed patch object: .spec.priority: field not declared in schema';
    answer(true, { status: 500, body: { kind: 'Status', code: 500, message } });
    const { code, text } = await restore('--apply');
    expect(code).to.equal(4);
    expect(text).to.contain(message).and.contain('the CRDs of this cluster do not know the field');
    expect(server.count((request) => isApply(request) || isStatus(request))).to.equal(0);
  });

  it('writes nothing without a permission', async () => {
    answer(false, { status: 200, body: {} });
    const { code, text } = await restore('--apply');
    expect(code).to.equal(4);
    expect(text).to.contain('you may not patch failoverpools in namespace site');
    expect(server.count((request) => isDryRun(request) || isApply(request) || isStatus(request))).to.equal(0);
  });

  it('tries again what an overloaded server refuses for a moment', async () => {
    answer(true, { status: 200, body: {} });
    server.fail(isApply, { kind: 'status', status: 429, headers: { 'retry-after': '0' } }, 3);
    server.fail(isApply, { kind: 'cut' }, 1);
    server.fail(isStatus, { kind: 'cutAfter' }, 1);
    const [{ code, text }] = await Promise.all([restore('--apply'), takesNote()]);
    expect(code, text).to.equal(0);
    expect(server.store.collection('understudy.dev/v1alpha1/cameraassignments').size).to.equal(3);
    const pool = server.store.get('understudy.dev/v1alpha1/failoverpools', 'site/north') as unknown as FailoverPool;
    expect(pool.status?.roles?.[0]).to.include({ holder: 'standby-a', epoch: 3 });
    expect([pool.status?.epoch, pool.status?.restore]).to.deep.equal([4, undefined]);
  });
});
