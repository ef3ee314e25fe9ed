import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { BackupError, type BackupTarget, createVeleroEngine } from '../../../src/backup/index.js';
import { createApiClient, type KubeClient } from '../../../src/operator/index.js';
import { useApiCluster } from '../../support/api-cluster.js';

/** Runs before any other test installs Velero's kinds: its file is the first of them by name. */
describe('a cluster without Velero', () => {
  const api = useApiCluster();
  let client: KubeClient;

  before(async function () {
    const kinds = await api.cluster.kubectl(['get', 'crd', '-o', 'name']);
    // Only in a cluster of the user's own.
    if (kinds.includes('backups.velero.io')) this.skip();
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(api.cluster.kubeconfigPath);
    client = createApiClient({ kubeConfig });
  });
  after(() => client?.close());

  const target: BackupTarget = { namespace: 'site', name: 'north-3', uid: '2f1c9a77-1', pool: 'north' };

  for (const verb of ['find', 'begin', 'remove'] as const) {
    it(`says so when it is asked to ${verb}, and does not take it for the end of one Backup`, async () => {
      const error = await createVeleroEngine({ client })
        [verb](target)
        .then(
          () => undefined,
          (failure: unknown) => failure,
        );
      expect(error).to.be.instanceOf(BackupError);
      expect(error).to.include({ reason: 'VeleroNotInstalled', mayPass: false });
      expect((error as Error).message).to.contain("does not know Velero's kinds");
    });
  }
});
