import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { VeleroBackup } from '../../../../src/backup/velero/objects.js';
import { judge } from '../../../../src/backup/velero/phase.js';

type Status = NonNullable<VeleroBackup['status']>;

function backup(status: Status | undefined, deletionTimestamp?: string): VeleroBackup {
  return {
    metadata: {
      ...{ namespace: 'velero', name: 'site-north-3-2f1c9a77', uid: 'uid-of-velero' },
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: {
      ...{ includedNamespaces: ['site'], includedResources: [], includeClusterResources: false, ttl: '1h' },
      ...{ snapshotVolumes: false, defaultVolumesToFsBackup: false, storageLocation: 'default' },
    },
    ...(status === undefined ? {} : { status }),
  };
}

const name = 'velero/site-north-3-2f1c9a77';

describe('the phases of a Velero Backup', () => {
  const rows: [phase: string, status: Status, state: string, reason: string | undefined, words: string][] = [
    ['', {}, 'Running', 'VeleroInProgress', `Velero has not begun Velero Backup ${name} (phase New)`],
    ['New', {}, 'Running', 'VeleroInProgress', 'has not begun'],
    ['Queued', {}, 'Running', 'VeleroInProgress', 'has not begun'],
    ['ReadyToStart', {}, 'Running', 'VeleroInProgress', 'has not begun'],
    ['InProgress', {}, 'Running', 'VeleroInProgress', `Velero is making Velero Backup ${name} (phase InProgress)`],
    ['WaitingForPluginOperations', {}, 'Running', 'VeleroInProgress', 'is making'],
    ['WaitingForPluginOperationsPartiallyFailed', { errors: 1 }, 'Running', 'VeleroInProgress', 'it will not count'],
    ['Finalizing', {}, 'Running', 'VeleroInProgress', 'is making'],
    ['FinalizingPartiallyFailed', { errors: 1 }, 'Running', 'VeleroInProgress', 'it will not count'],
    [
      'Completed',
      { progress: { itemsBackedUp: 7 } },
      'Complete',
      undefined,
      `${name} holds 7 objects, by Velero's word`,
    ],
    [
      'Completed',
      { warnings: 2 },
      'Complete',
      undefined,
      'with 2 warnings: velero -n velero backup logs site-north-3-',
    ],
    [
      'PartiallyFailed',
      { errors: 3, progress: { itemsBackedUp: 5 } },
      'Failed',
      'VeleroPartiallyFailed',
      '3 errors, 5 objects. It does not count as a baseline. Read what failed by: velero -n velero backup logs site-north-3-2f1c9a77',
    ],
    [
      'FailedValidation',
      { validationErrors: ['the location is gone', 'the filters are wrong'] },
      'Failed',
      'VeleroValidationFailed',
      `Velero refused Velero Backup ${name}: the location is gone; the filters are wrong. Mend that`,
    ],
    ['FailedValidation', { validationErrors: null }, 'Failed', 'VeleroValidationFailed', 'it does not say why'],
    [
      'Failed',
      { failureReason: 'no such bucket' },
      'Failed',
      'VeleroFailed',
      'has failed: no such bucket. Read more by:',
    ],
    ['Failed', {}, 'Failed', 'VeleroFailed', 'it does not say why'],
    ['Deleting', {}, 'Failed', 'VeleroBackupDeleted', 'is being deleted, and was not seen complete'],
    ['SomethingOfNextYear', {}, 'Running', 'VeleroInProgress', '(phase SomethingOfNextYear)'],
  ];
  for (const [phase, status, state, reason, words] of rows) {
    it(`${phase || 'none yet'}${Object.keys(status).length > 0 ? ` ${JSON.stringify(status)}` : ''}: ${state}`, () => {
      const judged = judge(backup(phase === '' ? undefined : { phase, ...status }));
      expect(judged.state).to.equal(state);
      expect('reason' in judged ? judged.reason : undefined).to.equal(reason);
      expect(judged.message).to.contain(words);
      expect(judged.record).to.include({
        namespace: 'velero',
        backupName: 'site-north-3-2f1c9a77',
        uid: 'uid-of-velero',
      });
      expect(judged.record.phase).to.equal(phase || 'New');
    });
  }

  it('knows one phase only that counts', () => {
    const complete = new Set(rows.filter(([, , state]) => state === 'Complete').map(([phase]) => phase));
    expect([...complete]).to.deep.equal(['Completed']);
  });

  it('is gone for one that is being deleted, whatever its phase says', () => {
    const judged = judge(backup({ phase: 'Completed' }, '2026-11-23T10:00:00Z'));
    expect(judged).to.include({ state: 'Failed', reason: 'VeleroBackupDeleted' });
  });

  it('tells no counts while they still change: our status changes with the phase alone', () => {
    const early = judge(backup({ phase: 'InProgress', progress: { itemsBackedUp: 1, totalItems: 9 } }));
    const late = judge(backup({ phase: 'InProgress', progress: { itemsBackedUp: 8, totalItems: 9 }, errors: 1 }));
    expect(late).to.deep.equal(early);
  });

  it('bounds the words of others', () => {
    const { message } = judge(backup({ phase: 'FailedValidation', validationErrors: ['x'.repeat(10_000)] }));
    expect(message.length).to.be.lessThan(2000);
  });
});
