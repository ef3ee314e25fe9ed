import { expect } from 'chai';
import { describe, it } from 'mocha';
import { childNames, FIELD_MANAGER, labels, type RecordingServer } from '../../../../src/crds/index.js';
import { unwantedServices } from '../../../../src/reconcilers/recording-server/children-plan.js';
import { ownedBy } from '../../../../src/reconcilers/recording-server/objects/metadata.js';
import { planStatus } from '../../../../src/reconcilers/recording-server/status.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';
import { healthOf, scene } from '../support/scene.js';

const at = '2026-01-02T03:00:00.000Z';

describe('what a spec that was changed back leaves behind', () => {
  const standard = recordingServer('a').build();
  const standby: RecordingServer = { ...standard, spec: { ...standard.spec, type: 'Failover' } };

  function withService(server: RecordingServer, owner = server, status: object = { epoch: 2 }) {
    const all = scene(server, recordingServer('s').standby().status({ servingRole: '', epoch: 1 }).build());
    all.stores.pools.put(failoverPool().status(status).build());
    const name = childNames.roleService('a');
    const metadata = { name, namespace: 'ns', uid: 'uid-service', labels: { [labels.managedBy]: FIELD_MANAGER } };
    all.stores.services.put({ metadata: { ...metadata, ownerReferences: [ownedBy(owner)] }, server: 'a' });
    return unwantedServices(all.see('a'), all.stores).map((service) => service.metadata.uid);
  }

  it('is no Service of a role that a server of type Failover does not have', () => {
    expect(withService(standby)).to.deep.equal(['uid-service']);
  });

  it('is the Service of a role that it has', () => {
    expect(withService(standard)).to.deep.equal([]);
  });

  it('is the Service of a role that a substitute holds', () => {
    const role = { name: 'a', holder: 's', epoch: 2, startTime: at, handedOverTime: at };
    expect(withService(standby, standby, { epoch: 2, roles: [role] })).to.deep.equal([]);
  });

  it('is everything, while the pool has decided nothing yet', () => {
    const serving: RecordingServer = { ...standby, status: { servingRole: 'a', epoch: 2 } };
    expect(withService(serving, serving, {})).to.deep.equal([]);
  });

  it('is never a Service of somebody else', () => {
    const other = recordingServer('other').build();
    expect(withService(standby, other)).to.deep.equal([]);
  });

  const conditionAfter = (server: RecordingServer, type: string, startGraceSeconds: number) => {
    const all = scene(server);
    all.stores.pools.put(failoverPool().spec({ startGraceSeconds }).status({ epoch: 1 }).build());
    all.health('a', healthOf('NeverReady', { startOverdue: false }));
    return planStatus(all.see('a'), undefined).status.conditions?.find((condition) => condition.type === type);
  };

  it('is no word about a pod that is gone', () => {
    const condition = { type: 'UpToDate', status: 'False', reason: 'TemplateOutdated', message: '' } as const;
    const told = { ...standard, status: { conditions: [{ ...condition, lastTransitionTime: at }] } };
    expect(conditionAfter(told, 'UpToDate', 120)).to.equal(undefined);
  });

  it('is a start that takes too long only while the same time is allowed for it', () => {
    const message = 'Not ready within startGraceSeconds (5): Starting: The pod is being made';
    const condition = { type: 'Stalled', status: 'True', reason: 'NeverReady', message } as const;
    const told = { ...standard, status: { conditions: [{ ...condition, lastTransitionTime: at }] } };
    expect(conditionAfter(told, 'Stalled', 5)?.status).to.equal('True');
    expect(conditionAfter(told, 'Stalled', 120)?.status).to.equal('False');
  });
});
