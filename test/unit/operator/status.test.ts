import { expect } from 'chai';
import fc from 'fast-check';
import { type Condition, setCondition } from '../../../src/operator/conditions.js';
import { deepEqual } from '../../../src/operator/deep-equal.js';
import { resources } from '../../../src/operator/resources.js';
import { mergePatch, writeStatusIfChanged } from '../../../src/operator/status-writer.js';
import { applyMergePatch } from '../support/loopback-store.js';

const early = new Date('2026-01-01T00:00:00.123Z');
const late = new Date('2026-01-02T00:00:00.456Z');

describe('conditions', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'Fine', message: 'all well' } as const;

  it('keep lastTransitionTime when only reason, message or generation change', () => {
    const first = setCondition(undefined, ready, early);
    const second = setCondition(first, { ...ready, reason: 'Better', message: 'm', observedGeneration: 2 }, late);
    expect(second).to.eql([
      { ...ready, reason: 'Better', message: 'm', observedGeneration: 2, lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]);
  });

  it('move lastTransitionTime, in whole seconds, when the status changes', () => {
    const first = setCondition(undefined, ready, early);
    const second = setCondition(first, { ...ready, status: 'False' }, late);
    expect(second[0]?.lastTransitionTime).to.equal('2026-01-02T00:00:00Z');
    expect(first[0]?.status).to.equal('True');
  });

  it('are sorted by type, whatever the order of writing', () => {
    let list: Condition[] | undefined;
    for (const type of ['Ready', 'Bound', 'Stalled', 'Bound']) list = setCondition(list, { ...ready, type }, early);
    expect(list?.map((condition) => condition.type)).to.eql(['Bound', 'Ready', 'Stalled']);
  });
});

describe('the status writer', () => {
  function writer() {
    const patches: object[] = [];
    const client = {
      patchStatus: async <T>(_type: unknown, _key: unknown, patch: object) => {
        patches.push(patch);
        return {} as T;
      },
    };
    return { client, patches };
  }
  const current = {
    metadata: { name: 'a', namespace: 'x', uid: 'u' },
    status: { kept: 1, old: 2, list: [1, 2], deep: { a: 1 } },
  };

  it('sends nothing when nothing differs', async () => {
    const { client, patches } = writer();
    const same = structuredClone(current.status);
    expect(await writeStatusIfChanged(client, resources.pods, current, { ...same, absent: undefined })).to.equal(false);
    expect(patches).to.eql([]);
  });

  it('sends only the difference, removed fields as null, lists whole, and the uid', async () => {
    const { client, patches } = writer();
    const next = { kept: 1, list: [2], deep: { a: 1, b: 2 } };
    expect(await writeStatusIfChanged(client, resources.pods, current, next)).to.equal(true);
    expect(patches).to.eql([{ metadata: { uid: 'u' }, status: { old: null, list: [2], deep: { b: 2 } } }]);
  });

  it('writes the first status of an object', async () => {
    const { client, patches } = writer();
    await writeStatusIfChanged(client, resources.pods, { metadata: { name: 'a' } }, { phase: 'New' });
    expect(patches).to.eql([{ status: { phase: 'New' } }]);
  });

  const json = fc.letrec((tie) => ({
    value: fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }), tie('record')),
    record: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  })).record;

  it('works out patches that turn any status into any other', () => {
    fc.assert(
      fc.property(json, json, (from, to) => {
        const patch = mergePatch(from, to);
        expect(deepEqual(patch === undefined ? from : applyMergePatch(from, patch), to)).to.equal(true);
        expect(patch === undefined).to.equal(deepEqual(from, to));
      }),
    );
  });
});
