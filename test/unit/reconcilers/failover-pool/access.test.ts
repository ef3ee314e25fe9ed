// A fake of the API client: an object that is gone while the watch still shows it can't be had from a real one at will.
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { childNames } from '../../../../src/crds/index.js';
import { ApiError, type ApiErrorKind, type ResourceType } from '../../../../src/operator/index.js';
import { ensurePoolAccess } from '../../../../src/reconcilers/failover-pool/access.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { memoryStores } from '../support/memory-stores.js';

const unexpected = (): never => {
  throw new Error('nothing of the kind is asked for here');
};

/** Deletes the access of a pool without cameras; gives the kinds whose deletion was asked for. */
async function deletions(refusal: ApiErrorKind | undefined): Promise<string[]> {
  const stores = memoryStores();
  const pool = failoverPool().build();
  const { namespace = '', name } = pool.metadata;
  const metadata = { namespace, name: childNames.poolAccess(name), uid: 'gone' };
  stores.roles.put({ metadata, pool: name } as never);
  stores.roleBindings.put({ metadata, pool: name } as never);
  const asked: string[] = [];
  const client = {
    ...{ get: unexpected, create: unexpected, apply: unexpected, patch: unexpected },
    delete: async (type: ResourceType) => {
      asked.push(type.kind);
      if (refusal !== undefined) throw new ApiError(refusal, 'refused by the test');
    },
  };
  await ensurePoolAccess(client, stores, pool);
  return asked;
}

describe('access to the Secrets of a pool that has none any more', () => {
  it('is taken away', async () => {
    expect(await deletions(undefined)).to.deep.equal(['RoleBinding', 'Role']);
  });

  for (const [refusal, why] of [
    ['notFound', 'is gone already, and the watch does not show it yet'],
    ['conflict', 'is another object of that name by now'],
  ] as const)
    it(`is no fault when it ${why}`, async () => {
      expect(await deletions(refusal)).to.deep.equal(['RoleBinding', 'Role']);
    });

  it('tells of a refusal', async () => {
    const error = await deletions('forbidden').catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ApiError);
  });
});
