import { type RecordingServer, reasons } from '../../crds/index.js';
import { type Draft, viewOf } from '../draft.js';
import { type HeldRole, holderOf } from '../roles.js';
import { whyNone } from '../standby/standby-choice.js';
import { type StandbyTable, standbyTable } from '../standby/standby-table.js';
import type { ConditionVerdict, PoolView, ServerView } from '../types.js';
import { lonelyNode } from './isolation.js';
import { match } from './matching.js';
import { listed } from './placement.js';

/** Failures that a message names; the rest is counted. */
const NAMED_FAILURES = 10;
/** Roles that a message names of one failure. */
const NAMED_ROLES = 8;

/** What the loss of one recorder, or of one node, would mean. */
export interface PoolProtection {
  /** Of the pool. */
  readonly condition: ConditionVerdict;
  /** Of each server that holds a role, by its name. */
  readonly servers: ReadonlyMap<string, ConditionVerdict>;
  readonly table: StandbyTable;
}

/** One server or one node that could be lost, with the roles that would go with it. */
interface Loss {
  /** As people read it: `node n2`, or `server nvr-1`. */
  readonly what: string;
  readonly node?: string | undefined;
  readonly held: readonly { readonly role: HeldRole; readonly holder: ServerView }[];
}

/** Who stands by now, and who waits for a standby already. */
interface Present {
  readonly table: StandbyTable;
  readonly waiting: readonly HeldRole[];
  /** What those that wait would get now. */
  readonly now: ReadonlyMap<HeldRole, ServerView>;
}

/** What would be left after a loss. */
interface Aftermath {
  readonly loss: Loss;
  /** Who would take over, by role. */
  readonly heirs: ReadonlyMap<string, ServerView>;
  /** How many of the lost roles could be recorded again. */
  readonly served: number;
}

function yes(reason: ConditionVerdict['reason'], message: string): ConditionVerdict {
  return { status: 'True', reason, message };
}

function no(reason: ConditionVerdict['reason'], message: string): ConditionVerdict {
  return { status: 'False', reason, message };
}

/** The losses that would take roles along: by node; a server without a known node stands for itself. */
function lossesOf(held: Loss['held']): Loss[] {
  const nodes = new Map<string, Loss>();
  const losses: Loss[] = [];
  for (const entry of held) {
    const { nodeName, name } = entry.holder;
    if (nodeName === undefined) losses.push({ what: `server ${name}`, held: [entry] });
    else {
      const known = nodes.get(nodeName)?.held ?? [];
      nodes.set(nodeName, { what: `node ${nodeName}`, node: nodeName, held: [...known, entry] });
    }
  }
  return [...nodes.values(), ...losses].sort((a, b) => (a.what < b.what ? -1 : 1));
}

/** Holders fall out by themselves: they stand by for nobody. */
function outlives({ nodeName }: ServerView, { node }: Loss): boolean {
  return node === undefined || nodeName !== node;
}

/**
 * Rule 4, in numbers: how many of the lost roles the surviving standbys could take, those that wait already first. Where
 * no standby goes with the node, what those would get stands: with many that wait, this is what keeps it quick.
 */
function aftermathOf({ table, waiting, now }: Present, loss: Loss): Aftermath {
  const lost = loss.held.map(({ role }) => role);
  const survivors = (role: HeldRole) => table.fitting(role).filter((server) => outlives(server, loss));
  const matched = table.free.every((server) => outlives(server, loss))
    ? match(lost, table.fitting, now)
    : match([...waiting, ...lost], survivors);
  const heirs = new Map([...matched].map(([role, heir]) => [role.name, heir]));
  return { loss, heirs, served: Math.max(0, matched.size - now.size) };
}

function survivable({ loss, served }: Aftermath): boolean {
  return served >= loss.held.length;
}

function described({ loss, served }: Aftermath): string {
  const names = listed(
    loss.held.map(({ role }) => role.name),
    NAMED_ROLES,
  );
  const need = loss.held.length === 1 ? 'needs 1 standby' : `need ${loss.held.length} standbys`;
  const fit = served === 0 ? 'none fits' : `${served} ${served === 1 ? 'fits' : 'fit'}`;
  return `${loss.what}: ${names} ${need}, ${fit}`;
}

/** Nodes first; then the single recorders of such nodes, where the loss of one of them would be too much as well. */
function unsurvivable(present: Present, aftermaths: readonly Aftermath[]): string[] {
  const failing = aftermaths.filter((aftermath) => !survivable(aftermath));
  const shared = failing.filter(({ loss }) => loss.held.length > 1);
  const single = shared
    .flatMap(({ loss }) => loss.held)
    .map((entry) => aftermathOf(present, { what: `server ${entry.holder.name}`, held: [entry] }))
    .filter((aftermath) => !survivable(aftermath));
  return [...failing, ...single].map(described);
}

function poolCondition(view: PoolView, table: StandbyTable, failures: readonly string[], atRisk: string | undefined) {
  const operator =
    atRisk === undefined ? [] : [`node ${atRisk}: it runs recorders and every ready replica of the operator`];
  if (view.spec.paused) return no(reasons.PoolPaused, 'spec.paused is set: nothing would be moved');
  if (table.roles.length === 0) return yes(reasons.AllSurvivable, 'No server holds a role, so there is none to lose');
  if (failures.length > 0 && table.free.length === 0) {
    const message = `No server stands by: the loss of any recorder would leave its cameras unrecorded; add a RecordingServer of type Failover`;
    return no(reasons.NoStandby, message);
  }
  const all = [...failures, ...operator];
  if (all.length === 0) return yes(reasons.AllSurvivable, 'Any one recorder and any one node could be lost');
  const reason = failures.length > 0 ? reasons.NotSurvivable : reasons.OperatorAtRisk;
  const shown = all.slice(0, NAMED_FAILURES).join('; ');
  const more = all.length > NAMED_FAILURES ? `; and ${all.length - NAMED_FAILURES} more` : '';
  return no(reason, `These losses would leave cameras unrecorded: ${shown}${more}`);
}

function pausedCondition({ name }: PoolView): ConditionVerdict {
  return no(reasons.PoolPaused, `Pool ${name} is paused (spec.paused)`);
}

/** Why the role of this server would be left without a recorder. */
function unprotected({ table }: Present, loss: Loss, role: HeldRole): ConditionVerdict {
  const left = table.candidates(role).filter(({ server }) => outlives(server, loss));
  const fit = left.find(({ reason }) => reason === reasons.Fits);
  if (fit === undefined) return { status: 'False', ...whyNone({ candidates: left }) };
  const message = `${fit.server.name} fits, but other roles would need it too; add a RecordingServer of type Failover`;
  return no(reasons.NoStandby, message);
}

function serverCondition(
  view: PoolView,
  present: Present,
  { heirs, loss }: Aftermath,
  { role }: Loss['held'][number],
  atRisk: string | undefined,
): ConditionVerdict {
  if (view.spec.paused) return pausedCondition(view);
  const heir = heirs.get(role.name);
  if (heir === undefined) return unprotected(present, loss, role);
  if (loss.node !== undefined && loss.node === atRisk)
    return no(reasons.OperatorAtRisk, `Every ready replica of the operator runs on its node ${atRisk}`);
  return yes(reasons.StandbyReady, `${heir.name} would take over`);
}

/** A broken holder is protected by whoever is about to take over. */
function brokenCondition(view: PoolView, { table, now }: Present, role: HeldRole): ConditionVerdict {
  if (view.spec.paused) return pausedCondition(view);
  const heir = now.get(role);
  if (heir !== undefined) return yes(reasons.StandbyReady, `${heir.name} would take over`);
  return { status: 'False', ...whyNone({ candidates: table.candidates(role) }) };
}

/**
 * Conditions Protected of a pool and of its servers (rules 7, 8 and 15): which single failure, of any one recorder or any
 * one node, would leave cameras unrecorded right now. Roles that wait for a standby already get theirs first. Several
 * roles on one node need as many standbys elsewhere, and somebody must be left to move them.
 */
export function poolProtection(draft: Draft): PoolProtection {
  const view = viewOf(draft);
  const table = standbyTable(view);
  const atRisk = lonelyNode(draft);
  const held: { role: HeldRole; holder: ServerView }[] = [];
  const waiting: HeldRole[] = [];
  for (const role of table.roles) {
    const holder = holderOf(view, role);
    if (holder === undefined || holder.health.verdict === 'Broken') waiting.push(role);
    else held.push({ role, holder });
  }
  const present: Present = { table, waiting, now: match(waiting, table.fitting) };
  const aftermaths = lossesOf(held).map((loss) => aftermathOf(present, loss));
  const servers = new Map(waiting.map((role) => [role.holder, brokenCondition(view, present, role)]));
  for (const aftermath of aftermaths)
    for (const entry of aftermath.loss.held)
      servers.set(entry.holder.name, serverCondition(view, present, aftermath, entry, atRisk));
  const risky = aftermaths.some(
    (aftermath) => aftermath.loss.node !== undefined && aftermath.loss.node === atRisk && survivable(aftermath),
  );
  const failures = unsurvivable(present, aftermaths);
  return { condition: poolCondition(view, table, failures, risky ? atRisk : undefined), servers, table };
}

/** What condition Protected depends on in the server itself. */
export type ProtectedServer = Pick<RecordingServer, 'spec'> & { readonly metadata: { readonly name: string } };

/** Condition Protected of a server that no pool protects; undefined when its pool decides. */
export function withoutPool({ spec }: ProtectedServer, poolFound: boolean): ConditionVerdict | undefined {
  const { poolRef } = spec;
  if (poolRef === undefined) return no(reasons.NotMonitored, 'spec.poolRef is not set, so no pool watches it');
  if (poolFound) return undefined;
  const message = `spec.poolRef names ${poolRef.name}, and there is no such FailoverPool in this namespace`;
  return no(reasons.PoolNotFound, message);
}

/** Condition Protected of a server of which its pool says nothing. */
export const noRole: ConditionVerdict = no(reasons.NoRole, 'It holds no role; only roles are protected');
