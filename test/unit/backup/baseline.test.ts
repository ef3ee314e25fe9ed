import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  baselineCamera,
  canonicalJson,
  collectBaseline,
  decodeBaseline,
  encodeBaseline,
} from '../../../src/backup/index.js';
import type { CameraAssignment } from '../../../src/crds/index.js';
import { camera, namespace, pool, server } from './support/system.js';

const baselineOf = (cameras: CameraAssignment[], names = ['recorder-a', 'standby-a']) =>
  collectBaseline({
    operatorVersion: '0.1.0',
    namespace,
    pool: pool(),
    servers: names.map((name) => server(name)),
    cameras: cameras.map(baselineCamera),
  });

describe('canonical JSON', () => {
  it('is the same whatever order the fields were written in', async () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const backwards = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(backwards)).to.equal(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).to.deep.equal(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('a baseline', () => {
  it('of the same state has the same bytes, in whatever order the state was read', async () => {
    const one = await encodeBaseline(baselineOf([camera('door'), camera('gate')]));
    const other = await encodeBaseline(baselineOf([camera('gate'), camera('door')], ['standby-a', 'recorder-a']));
    expect(other.json.equals(one.json)).to.equal(true);
    expect(other.sha256).to.equal(one.sha256);
  });

  it('does not change with what says nothing about the system', async () => {
    const noisy = camera('door');
    noisy.metadata.resourceVersion = '99';
    noisy.metadata.uid = 'another';
    noisy.metadata.generation = 12;
    noisy.metadata.annotations = {
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      'understudy.dev/request': 'r1 recover a from b',
    };
    noisy.status = {
      ...noisy.status,
      recording: { startTime: '2026-11-22T11:00:00Z' },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Recording', message: '', lastTransitionTime: '2026-11-22T11:00:00Z' },
      ],
    };
    expect((await encodeBaseline(baselineOf([noisy]))).sha256).to.equal(
      (await encodeBaseline(baselineOf([camera('door')]))).sha256,
    );
  });

  it('changes with what does: epoch, holder, spec, labels', async () => {
    const before = (await encodeBaseline(baselineOf([camera('door')]))).sha256;
    const relabelled = camera('door');
    relabelled.metadata.labels = { floor: '1' };
    const louder = camera('door');
    louder.spec.source.audio = true;
    for (const changed of [camera('door', 4), relabelled, louder]) {
      expect((await encodeBaseline(baselineOf([changed]))).sha256).not.to.equal(before);
    }
  });

  it('names Secrets, each once and in order, and holds no uid', async () => {
    const baseline = baselineOf([camera('gate'), camera('door')]);
    expect(baseline.secrets).to.deep.equal(['login-door', 'login-gate', 'pull']);
    expect((await encodeBaseline(baseline)).json.toString()).not.to.contain('uid-of-standby');
  });

  it('keeps the takeover: roles, assignments and bindings with their epochs', async () => {
    const baseline = baselineOf([camera('door')]);
    expect(baseline.pool.epoch).to.equal(3);
    expect(baseline.pool.roles[0]).to.include({ name: 'recorder-a', holder: 'standby-a', epoch: 3 });
    expect(baseline.servers[1]?.assignment).to.deep.equal({ role: 'recorder-a', epoch: 3 });
    expect(baseline.cameras[0]?.boundTo).to.include({ server: 'standby-a', epoch: 3 });
  });

  it('comes back as it was', async () => {
    const baseline = baselineOf([camera('door'), camera('gate', undefined)]);
    expect(decodeBaseline((await encodeBaseline(baseline)).json)).to.deep.equal(baseline);
  });

  it('of another format or version is refused with the mend', async () => {
    const changed = (more: object) => Buffer.from(JSON.stringify({ ...baselineOf([]), ...more }));
    expect(() => decodeBaseline(changed({ format: 'x' }))).to.throw('this is no baseline: its format is x');
    expect(() => decodeBaseline(changed({ formatVersion: 2 }))).to.throw('use the version that wrote it (0.1.0)');
  });
});
