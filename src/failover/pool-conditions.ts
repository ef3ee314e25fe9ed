import { type QueueEntry, type Role, reasons } from '../crds/index.js';
import { leftOutCount } from './cameras.js';
import { type Draft, viewOf } from './draft.js';
import { findServer, type HeldRole, heldRoles } from './roles.js';
import { assignedRole, chooseStandby, whyNone } from './standby-choice.js';
import type { ConditionVerdict, PoolConditionType, PoolInput, ServerView } from './types.js';

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

/** Names that fit into a message, and how many more there are. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}

/** The servers that hold no role: only they can be free for one. Of 200 servers few are left to compare. */
function freeServers(view: PoolInput): ServerView[] {
  return view.servers.filter((server) => assignedRole(view, server) === '');
}

/** Rule 6: is there a standby for every role that is held? */
function standbyAvailable(view: PoolInput): ConditionVerdict {
  const free = new Set(freeServers(view).map(({ name }) => name));
  const choices = heldRoles(view).map((role) => {
    const servers = view.servers.filter(({ name }) => free.has(name) || name === role.name || name === role.holder);
    const { candidates } = chooseStandby({ ...view, servers }, role, { tolerateLate: true });
    return {
      role,
      fit: candidates.find(({ server, reason }) => reason === reasons.Fits && server.name !== role.holder),
    };
  });
  const without = choices.filter(({ fit }) => fit === undefined).map(({ role }) => role);
  const ready = new Set(choices.map(({ fit }) => fit?.server.name).filter((name) => name !== undefined));
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

function stalled(view: PoolInput): ConditionVerdict {
  const entry = stuck(view);
  if (entry?.waitingFor === undefined) return no(reasons.AsExpected, 'Nothing waits for a person');
  const reason = [reasons.NoStandby, reasons.Paused].find((known) => entry.waitingFor?.startsWith(`${known}:`));
  return yes(reason ?? reasons.NoCompatibleStandby, `Nobody records the role ${entry.role}: ${entry.waitingFor}`);
}

function reconciling({ status: { current } }: PoolInput): ConditionVerdict {
  if (current === undefined) return no(reasons.AsExpected, 'No failover runs');
  const what = current.step === 'TakingOver' ? `${current.standby} takes over the role` : 'the baseline is made of';
  return yes(reasons.FailingOver, `Failover of ${current.server}: ${what} ${current.role}`);
}

/** Ready is about the pool's roles: a role that a substitute records is as it should be (kstatus). */
function ready(view: PoolInput): ConditionVerdict {
  const wrong = [stalled(view), reconciling(view)].find(({ status }) => status === 'True');
  if (wrong !== undefined) return no(wrong.reason, wrong.message);
  const queued = view.status.queue?.[0];
  if (queued !== undefined) return no(reasons.FailingOver, `${queued.server} waits: ${queued.waitingFor ?? ''}`);
  return yes(reasons.AsExpected, 'Every role is held by a server that is not broken');
}

/** All conditions of a pool, as they follow from the decision. */
export function poolConditions(draft: Draft): Readonly<Record<PoolConditionType, ConditionVerdict>> {
  const view = viewOf(draft);
  const paused = view.spec.paused;
  return {
    Ready: ready(view),
    StandbyAvailable: standbyAvailable(view),
    OnSubstitute: onSubstitute(view),
    Paused: paused
      ? yes(reasons.Paused, 'spec.paused: nothing is moved')
      : no(reasons.NotPaused, 'Failovers are served'),
    Reconciling: reconciling(view),
    Stalled: stalled(view),
  };
}
