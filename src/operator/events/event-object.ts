import { microTime } from '../micro-time.js';
import type { KubeObject, ObjectRef } from '../objects.js';
import type { EventInput } from './types.js';

/** An events.k8s.io/v1 Event, as far as it is written. */
export interface EventObject extends KubeObject {
  eventTime: string;
  reportingController: string;
  reportingInstance: string;
  action: string;
  reason: string;
  type: 'Normal' | 'Warning';
  note: string;
  regarding: ObjectRef;
  related?: ObjectRef;
  series?: EventSeries;
}

export interface EventSeries {
  /** Occurrences so far, the first included; at least 2. */
  count: number;
  lastObservedTime: string;
}

export interface Reporter {
  /** Domain-like name of the controller, at most 253 characters. */
  controller: string;
  /** At most 128 characters. */
  instance: string;
}

/** What makes two events the same happening. The note does not count: it may carry a figure that changes. */
export function seriesKey(event: EventInput): string {
  const { kind, namespace, name, uid } = event.regarding;
  const related = event.related ? [event.related.kind, event.related.namespace, event.related.name] : [];
  return JSON.stringify([kind, namespace, name, uid, event.type, event.reason, event.action, ...related]);
}

/** Cuts a text to `limit` bytes of UTF-8 without splitting a character. */
export function cutToBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= limit) return text;
  const ellipsis = '…';
  let end = limit - Buffer.byteLength(ellipsis);
  // 0b10xxxxxx is the inside of a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + ellipsis;
}

/** The first Event of a series. `suffix` makes its name unique. */
export function eventObject(event: EventInput, reporter: Reporter, now: Date, suffix: string): EventObject {
  return {
    metadata: {
      name: `${event.regarding.name.slice(0, 220)}.${suffix}`,
      // Events about cluster-scoped objects live in 'default'.
      namespace: event.regarding.namespace ?? 'default',
    },
    eventTime: microTime(now),
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, 128),
    action: event.action.slice(0, 128),
    reason: event.reason.slice(0, 128),
    type: event.type,
    note: cutToBytes(event.note, 1024),
    regarding: event.regarding,
    ...(event.related === undefined ? {} : { related: event.related }),
  };
}
