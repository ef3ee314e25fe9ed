import type { ServerResponse } from 'node:http';
import type { WatchFault } from './faults.js';
import { statusBody } from './faults.js';

interface Line {
  readonly text: string;
  readonly dueTime: number;
  /** uid or name of the object, to find a later event of the same one. */
  readonly object: string;
}

interface EventLine {
  readonly type: string;
  readonly object: { readonly metadata?: { readonly name?: string; readonly namespace?: string } };
}

/** The way of one watch's events from the API server to an operator, with the faults on it. */
export class WatchPipe {
  readonly replica: string;
  readonly resource: string;
  readonly #response: ServerResponse;
  readonly #end: () => void;
  #fault: WatchFault | undefined;
  #lost = 0;
  #muted = false;
  #waiting: Line[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(replica: string, resource: string, response: ServerResponse, end: () => void) {
    this.replica = replica;
    this.resource = resource;
    this.#response = response;
    this.#end = end;
  }

  /** Events from now on suffer the fault; undefined heals it. A mute watch stays mute: its events are gone for good. */
  suffer(fault: WatchFault | undefined): void {
    this.#fault = fault;
    this.#lost = 0;
    if (fault?.kind === 'mute') this.#muted = true;
    if (fault === undefined) this.#hurry();
  }

  /** One line of the API server. */
  take(text: string): void {
    if (this.#muted || this.#ended) return;
    const fault = this.#fault;
    if (fault?.kind === 'lose' && this.#lost < fault.count && isChange(text)) {
      this.#lost += 1;
      return;
    }
    const delay = fault?.kind === 'lag' || fault?.kind === 'coalesce' ? fault.ms : 0;
    if (delay === 0 && this.#waiting.length === 0) {
      this.#response.write(`${text}\n`);
      return;
    }
    const object = objectOf(text);
    if (fault?.kind === 'coalesce') this.#waiting = this.#waiting.filter((line) => line.object !== object);
    this.#waiting.push({ text, dueTime: performance.now() + delay, object });
    this.#schedule();
  }

  /** The API server has ended the watch: what waits comes first. */
  finish(): void {
    this.#ended = true;
    if (!this.#muted && this.#waiting.length === 0) this.#response.end();
  }

  /** An ERROR event with code 410, as after a compaction; then the end. */
  expire(): void {
    if (this.#muted || this.#ended) return;
    const event = { type: 'ERROR', object: statusBody(410, 'Expired') };
    this.#response.end(`${JSON.stringify(event)}\n`);
    this.#ended = true;
    this.#end();
  }

  cut(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#response.destroy();
  }

  #hurry(): void {
    this.#waiting = this.#waiting.map((line) => ({ ...line, dueTime: 0 }));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flush();
  }

  #schedule(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#flush();
      },
      Math.max(0, first.dueTime - performance.now()),
    );
  }

  #flush(): void {
    const now = performance.now();
    while (this.#waiting[0] !== undefined && this.#waiting[0].dueTime <= now) {
      const line = this.#waiting.shift();
      if (line !== undefined && !this.#response.destroyed) this.#response.write(`${line.text}\n`);
    }
    if (this.#waiting.length > 0) this.#schedule();
    else if (this.#ended) this.#response.end();
  }
}

/** An event that tells of an object, and not only of the version that has been reached. */
export function isChange(text: string): boolean {
  return !text.startsWith('{"type":"BOOKMARK"');
}

function objectOf(text: string): string {
  const { type, object } = JSON.parse(text) as EventLine;
  const { namespace = '', name = '' } = object.metadata ?? {};
  return type === 'BOOKMARK' || type === 'ERROR' ? type : `${namespace}/${name}`;
}
