import { type LastRequest, reasons } from '../../crds/index.js';
import { type Draft, type Policy, wallTime } from '../draft.js';

/** Writes how it stands with a request; the time changes with the outcome alone. */
export function answer(
  draft: Draft,
  { id, command }: Pick<LastRequest, 'id' | 'command'>,
  outcome: LastRequest['outcome'],
  message: string,
): void {
  draft.record.lastRequest = { id, command, outcome, message: message.slice(0, 1024), time: wallTime(draft) };
  if (outcome !== 'Refused' && outcome !== 'Failed') return;
  draft.events.push({
    type: 'Warning',
    reason: reasons.RequestRefused,
    action: 'Request',
    note: `Request ${id} (${command}): ${message}`.slice(0, 1000),
  });
}

/** Ends the request of a move that did not come to its end; a later request is left alone. */
export function failRequest(draft: Draft, id: string | undefined, message: string): void {
  const { lastRequest } = draft.record;
  if (id === undefined || lastRequest?.id !== id || lastRequest.outcome !== 'Running') return;
  answer(draft, lastRequest, 'Failed', `${message}; ask again with a new id`);
}

/** A request is done when its role has been handed over: the baseline is not the person's matter. */
export const answerRequest: Policy = (draft) => {
  const { current, lastRequest } = draft.record;
  if (current?.step !== 'BackingUp' || lastRequest?.outcome !== 'Running') return;
  if (current.requestId === lastRequest.id)
    answer(draft, lastRequest, 'Done', `${current.standby} records the role ${current.role}`);
};
