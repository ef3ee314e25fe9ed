import { childNames, recorderReports } from '../../crds/index.js';
import { type KubeObject, type ResourceType, resources } from '../../operator/index.js';
import { onSubstitute, resolveRole } from '../roles.js';
import type { Stores } from '../stores.js';
import type { ChildView } from '../views.js';
import type { Gathered } from './gather.js';
import { buildClaim, type ClaimObject } from './objects/claim.js';
import { buildDisruptionBudget } from './objects/disruption-budget.js';
import { buildReport } from './objects/report.js';
import { buildRole } from './objects/role.js';
import { buildRoleBinding } from './objects/role-binding.js';
import { buildRoleService, type ServiceObject } from './objects/service.js';
import { buildServiceAccount } from './objects/service-account.js';

/** An object that the server owns, and where to look whether it is there. */
export interface WantedChild {
  readonly type: ResourceType;
  readonly store: { get(key: string): KubeObject | undefined };
  readonly object: KubeObject;
}

/**
 * Secrets that this server's own Role has to name. A pool has a Role for the Secrets of all its cameras; it goes with
 * the pool, so a server whose pool is not there is given those of its role.
 */
function secretNames({ pool, cameras }: Gathered): string[] {
  if (pool) return [];
  return cameras.flatMap(({ spec }) => spec.source.credentialsSecretRef?.name ?? []);
}

/** The Service of its own role, and that of a role which it holds and whose home is gone. */
function roleServices({ server, ownRole, role, holdsRole }: Gathered): ServiceObject[] {
  const services: ServiceObject[] = [];
  if (ownRole) {
    const substitute = onSubstitute(ownRole) ? ownRole.holder : undefined;
    services.push(buildRoleService({ role: ownRole.name, home: server, substitute }));
  }
  if (role && holdsRole && !role.home) services.push(buildRoleService({ role: role.name, substitute: server }));
  return services;
}

/** All children that are kept level by the hash of what was applied; pod, Lease and claims have ways of their own. */
export function wantedChildren(gathered: Gathered, stores: Stores): WantedChild[] {
  const { server } = gathered;
  return [
    { type: resources.serviceAccounts, store: stores.serviceAccounts, object: buildServiceAccount(server) },
    { type: resources.roles, store: stores.roles, object: buildRole(server, secretNames(gathered)) },
    { type: resources.roleBindings, store: stores.roleBindings, object: buildRoleBinding(server) },
    { type: recorderReports, store: stores.reports, object: buildReport(server) },
    { type: resources.podDisruptionBudgets, store: stores.disruptionBudgets, object: buildDisruptionBudget(server) },
    ...roleServices(gathered).map((object) => ({ type: resources.services, store: stores.services, object })),
  ];
}

/**
 * The Service of a role that this server had before it was made a standby: its name would lead nowhere for ever. Not
 * while anybody holds the role, nor before the pool has decided.
 */
export function unwantedServices({ server }: Gathered, stores: Stores): ChildView[] {
  const { name, namespace = '', uid } = server.metadata;
  if (server.spec.type === 'Standard') return [];
  const service = stores.services.get(`${namespace}/${childNames.roleService(name)}`);
  const ours = service?.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid);
  const { holder, frozen } = resolveRole(stores, namespace, name);
  return service !== undefined && ours === true && holder === undefined && !frozen ? [service] : [];
}

/** Claims from templates that do not exist yet; existing ones are never touched. */
export function missingClaims({ server, references }: Gathered): ClaimObject[] {
  return references.volumes
    .filter(({ claim }) => claim === undefined)
    .map(({ volume }) => buildClaim(server, volume))
    .filter((claim) => claim !== undefined);
}
