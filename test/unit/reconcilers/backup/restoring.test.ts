import { expect } from 'chai';
import { CameraRoll } from '../../../../src/backup/index.js';
import { plan } from '../../../../src/reconcilers/backup/plan.js';
import { backup, pool } from '../../backup/support/system.js';

const planOf = (reason: 'Manual' | 'Failover', restoring: boolean) => {
  const made = pool();
  if (restoring) made.status = { ...made.status, restore: { sha256: 'abc', startTime: '2026-11-22T10:00:00Z' } };
  const { spec, ...rest } = backup();
  const { epoch, ...manual } = spec;
  const wanted = { ...rest, spec: reason === 'Manual' ? { ...manual, reason } : { ...manual, reason, epoch } };
  const readSystem = async () => ({ servers: [], cameras: new CameraRoll(), unbound: [] });
  return plan({ backup: wanted as ReturnType<typeof backup>, pool: made, unbound: [], readSystem }, 0);
};

describe('a backup of a pool that is being restored', () => {
  for (const reason of ['Manual', 'Failover'] as const) {
    it(`waits until all of it is back (${reason})`, () => {
      expect(planOf(reason, true)).to.include({ do: 'wait', reason: 'Restoring' });
      expect(planOf(reason, false)).to.include({ do: 'write' });
    });
  }
});
