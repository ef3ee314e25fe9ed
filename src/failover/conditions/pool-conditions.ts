import { type QueueEntry, type Role, reasons } from '../../crds/index.js';
import { baselineCurrent } from '../baselines/current.js';
import { backupsScheduled } from '../baselines/schedule.js';
import { leftOutCount } from '../cameras.js';
import { isMoveCause } from '../causes.js';
import { type Draft, viewOf } from '../draft.js';
import { findServer, type HeldRole } from '../roles.js';
import { chooseStandby, whyNone } from '../standby/standby-choice.js';
import type { StandbyTable } from '../standby/standby-table.js';
import { failoversHeld } from '../takeover/storm.js';
import { standbyFailure } from '../takeover/takeover.js';
import type { ConditionVerdict, PoolConditionType, PoolInput } from '../types.js';
import { operatorIsolated } from './isolation.js';
import { listed } from './placement.js';
import type { PoolProtection } from './protection.js';

const yes = (reason: ConditionVerdict['reason'], message: string): ConditionVerdict => ({
  status: 'True',
  reason,
  message,
});
const no = (reason: ConditionVerdict['reason'], message: string): ConditionVerdict => ({
  status: 'False',
  reason,
  message,
});

/** Rule 6: is there a standby for every role that is held? */
function standbyAvailable(view: PoolInput, { roles, fitting }: StandbyTable): ConditionVerdict {
  const choices = roles.map((role) => ({ role, fit: fitting(role)[0] }));
  const without = choices.filter(({ fit }) => fit === undefined).map(({ role }) => role);
  const ready = new Set(choices.map(({ fit }) => fit?.name).filter((name) => name !== undefined));
  if (choices.length === 0) return no(reasons.NoStandby, 'No server of the pool holds a role');
  if (ready.size === 0) return noneFits(view, without[0]);
  const rest = without.length === 0 ? '' : `; none fits the roles ${listed(without.map(({ name }) => name))}`;
  return yes(reasons.StandbyAvailable, `Next to take over: ${listed([...ready])}${rest}`);
}

function noneFits(view: PoolInput, role: HeldRole | undefined): ConditionVerdict {
  if (role === undefined) return no(reasons.NoStandby, 'No server stands by');
  const { candidates } = chooseStandby(view, role, { tolerateLate: true });
  const { reason, message } = whyNone({ candidates: candidates.filter(({ server }) => server.name !== role.holder) });
  return no(reason, message);
}

/** Rules 4 and 5: what a substitute leaves out is counted here, and said by each camera itself. */
function withoutCameras(view: PoolInput, { name, holder }: Role): string {
  const count = leftOutCount(findServer(view, holder)?.report, name);
  return count === 0 ? '' : ` (${count} ${count === 1 ? 'camera' : 'cameras'} left out)`;
}

function onSubstitute(view: PoolInput): ConditionVerdict {
  const away = (view.status.roles ?? []).filter((role) => role.holder !== role.name);
  if (away.length === 0) return no(reasons.AllAtHome, 'Every role is recorded by its home');
  const names = away.map((role) => `${role.name} by ${role.holder}${withoutCameras(view, role)}`).sort();
  return yes(reasons.OnSubstitute, `Recorded by substitutes: ${listed(names)}`);
}

/** The first entry that only a person can help: no standby fits it, or the pool is paused. */
function stuck(view: PoolInput): QueueEntry | undefined {
  const helpless = [reasons.NoStandby, reasons.NoCompatibleStandby, reasons.Paused];
  return view.status.queue?.find(({ waitingFor }) => helpless.some((reason) => waitingFor?.startsWith(`${reason}:`)));
}

/** A takeover that can't be finished, and by spec.paused not be begun anew with another standby either. */
function stuckInPause(draft: Draft): string | undefined {
  const { current } = draft.record;
  if (!draft.input.spec.paused || current?.step !== 'TakingOver') return undefined;
  const failure = standbyFailure(draft, current);
  if (failure === undefined) return undefined;
  return `${current.standby} was to take over the role ${current.role}, but ${failure}; spec.paused keeps the next standby from it`;
}

function stalled(draft: Draft): ConditionVerdict {
  const view = viewOf(draft);
  const pausedIn = stuckInPause(draft);
  if (pausedIn !== undefined) return yes(reasons.Paused, pausedIn);
  const entry = stuck(view);
  if (entry?.waitingFor === undefined) return no(reasons.AsExpected, 'Nothing waits for a person');
  const reason = [reasons.NoStandby, reasons.Paused].find((known) => entry.waitingFor?.startsWith(`${known}:`));
  return yes(reason ?? reasons.NoCompatibleStandby, `Nobody records the role ${entry.role}: ${entry.waitingFor}`);
}

function reconciling({ status: { current, restore } }: PoolInput): ConditionVerdict {
  if (restore !== undefined)
    return yes(reasons.Restoring, `A restore runs since ${restore.startTime}: nothing is decided until it is finished`);
  if (current === undefined) return no(reasons.AsExpected, 'No failover runs');
  const what = current.step === 'TakingOver' ? `${current.standby} takes over the role` : 'the baseline is made of';
  if (isMoveCause(current.trigger))
    return yes(reasons.Moving, `Planned move (${current.trigger}) from ${current.server}: ${what} ${current.role}`);
  return yes(reasons.FailingOver, `Failover of ${current.server}: ${what} ${current.role}`);
}

/** Nothing new is begun; what is committed is finished, since a role between two servers is what nobody wants. */
function pausedCondition({ spec, status: { current } }: PoolInput): ConditionVerdict {
  if (!spec.paused) return no(reasons.NotPaused, 'Failovers are served');
  const running = current && `; what is committed is finished: ${current.server} to ${current.standby}`;
  return yes(reasons.Paused, `spec.paused: nothing is moved${running ?? ''}`);
}

/** Rule 16: what should move, and what each waits for. */
function movesPending({ pendingMoves = [] }: Draft): ConditionVerdict {
  const [first] = pendingMoves;
  if (first === undefined) return no(reasons.NoMoves, 'Every role is where it should be');
  const shown = pendingMoves.slice(0, 10).map(({ role, cause, message }) => `${role} (${cause}): ${message}`);
  if (pendingMoves.length > shown.length) shown.push(`and ${pendingMoves.length - shown.length} more`);
  return yes(first.reason, shown.join('; ').slice(0, 4096));
}

/**
 * Ready is about the pool's roles: a role that a substitute records is as it should be (kstatus), and one that moves by
 * plan is recorded all the time.
 */
function ready(draft: Draft): ConditionVerdict {
  const view = viewOf(draft);
  const wrong = [stalled(draft), reconciling(view)].find(
    ({ status, reason }) => status === 'True' && reason !== reasons.Moving,
  );
  if (wrong !== undefined) return no(wrong.reason, wrong.message);
  const queued = view.status.queue?.[0];
  if (queued !== undefined) return no(reasons.FailingOver, `${queued.server} waits: ${queued.waitingFor ?? ''}`);
  return yes(reasons.AsExpected, 'Every role is held by a server that is not broken');
}

/** All conditions of a pool, as they follow from the decision. */
export function poolConditions(
  draft: Draft,
  protection: PoolProtection,
): Readonly<Record<PoolConditionType, ConditionVerdict>> {
  const view = viewOf(draft);
  return {
    Ready: ready(draft),
    StandbyAvailable: standbyAvailable(view, protection.table),
    OnSubstitute: onSubstitute(view),
    MovesPending: movesPending(draft),
    Paused: pausedCondition(view),
    Reconciling: reconciling(view),
    Stalled: stalled(draft),
    FailoversHeld: failoversHeld(draft),
    Protected: protection.condition,
    OperatorIsolated: operatorIsolated(draft),
    BaselineCurrent: baselineCurrent(view),
    BackupsScheduled: backupsScheduled(view),
  };
}
