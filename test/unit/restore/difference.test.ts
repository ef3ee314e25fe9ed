import { expect } from 'chai';
import { differenceOf } from '../../../src/restore/difference.js';

const volumes = (...names: string[]) => names.map((name) => ({ name, mountPath: `/footage/${name}` }));
const changesOf = (wanted: object, live: object, defaults?: object) =>
  differenceOf({ spec: wanted }, { spec: live }, defaults).changes.map(
    ({ path, from, to }) => `${path}: ${from ?? '-'} -> ${to}`,
  );

describe('the difference between baseline and cluster', () => {
  it('is none for the same fields in another order', () => {
    expect(changesOf({ a: 1, b: { c: [1], d: 2 } }, { b: { d: 2, c: [1] }, a: 1 })).to.deep.equal([]);
  });

  it('names each field by its path, with both values', () => {
    const live = { source: { url: 'rtsp://old/1', audio: false }, priority: 'Low' };
    expect(changesOf({ source: { url: 'rtsp://new/1', audio: false }, priority: 'High' }, live)).to.deep.equal([
      'spec.source.url: rtsp://old/1 -> rtsp://new/1',
      'spec.priority: Low -> High',
    ]);
  });

  it('names entries of a list that the API server knows by name', () => {
    const wanted = { volumes: [{ name: 'a', mountPath: '/footage/z' }, ...volumes('b')] };
    expect(changesOf(wanted, { volumes: volumes('a') })).to.deep.equal([
      'spec.volumes[a].mountPath: /footage/a -> /footage/z',
      'spec.volumes[b]: - -> {"mountPath":"/footage/b","name":"b"}',
    ]);
  });

  it('shows any other list as a whole, since it is replaced as a whole', () => {
    expect(changesOf({ tolerations: [{ key: 'a' }] }, { tolerations: [{ key: 'b' }] })).to.deep.equal([
      'spec.tolerations: [{"key":"b"}] -> [{"key":"a"}]',
    ]);
  });

  it('tells what only the cluster has: it stays', () => {
    const { changes, kept } = differenceOf(
      { spec: { volumes: volumes('a') } },
      { spec: { volumes: volumes('a', 'b'), x: 1 } },
    );
    expect(changes).to.deep.equal([]);
    expect(kept).to.deep.equal(['spec.volumes[b]', 'spec.x']);
  });

  it('does not tell of a default that is newer than the baseline', () => {
    const { changes, kept } = differenceOf(
      { spec: { a: 1 } },
      { spec: { a: 1, fresh: false } },
      { a: 1, fresh: false },
    );
    expect([changes, kept]).to.deep.equal([[], []]);
  });

  it('looks at the labels and annotations of the baseline, and at no others', () => {
    const wanted = { labels: { floor: '1' }, annotations: { note: 'x' }, spec: {} };
    const live = { labels: { floor: '2', team: 'a' }, annotations: { other: 'y' }, spec: {} };
    expect(differenceOf(wanted, live).changes.map(({ path }) => path)).to.deep.equal([
      'metadata.labels.floor',
      'metadata.annotations.note',
    ]);
  });

  it('never shows a password', () => {
    const [line] = changesOf({ url: 'rtsp://user:geheim@camera/1' }, { url: 'rtsp://camera/1?token=geheim' });
    expect(line).to.contain('spec.url').and.not.contain('geheim');
  });
});
