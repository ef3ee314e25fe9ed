import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CameraAssignment } from '../crds/index.js';
import { baselineCamera } from './baseline.js';
import { canonicalJson } from './canonical-json.js';

/** Names that are sorted or merged without a pause: some milliseconds. */
const sliceNames = 4000;

/** A camera's place in the bytes of its run. */
interface Entry {
  readonly name: string;
  readonly generation: number;
  readonly start: number;
  readonly end: number;
}

interface Run {
  readonly entries: readonly Entry[];
  readonly bytes: Buffer;
}

/** Cameras of one role, as a list of the API server returned them. */
export class CameraRun {
  readonly #entries: Entry[] = [];
  readonly #pages: Buffer[] = [];
  readonly #secrets = new Set<string>();
  #texts: string[] = [];
  #end = 0;

  /** Keeps what the baseline keeps of a camera, as text: a fifth of what the object takes. */
  add(camera: CameraAssignment): void {
    const { name, generation = 0 } = camera.metadata as { name: string; generation?: number };
    const secret = camera.spec.source.credentialsSecretRef?.name;
    if (secret !== undefined) this.#secrets.add(secret);
    const text = canonicalJson(baselineCamera(camera));
    const start = this.#end;
    this.#end += Buffer.byteLength(text);
    this.#texts.push(text);
    this.#entries.push({ name, generation, start, end: this.#end });
  }

  /** Ends a page: outside of the heap its texts weigh on no garbage collection. */
  endPage(): void {
    if (this.#texts.length > 0) this.#pages.push(Buffer.from(this.#texts.join('')));
    this.#texts = [];
  }

  finish(): Run & { readonly secrets: ReadonlySet<string> } {
    this.endPage();
    // The API server lists by name: sorting what is sorted costs one look.
    const entries = this.#entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return {
      entries,
      bytes: this.#pages.length === 1 && this.#pages[0] ? this.#pages[0] : Buffer.concat(this.#pages),
      secrets: this.#secrets,
    };
  }
}

/** All cameras of a baseline, from any number of runs, without ever being sorted as a whole. */
export class CameraRoll {
  readonly #runs: Run[] = [];
  readonly #secrets = new Set<string>();

  take(run: CameraRun): void {
    const { entries, bytes, secrets } = run.finish();
    if (entries.length > 0) this.#runs.push({ entries, bytes });
    for (const secret of secrets) this.#secrets.add(secret);
  }

  /** Names of the Secrets with the cameras' logins; each once, in order, sorted in slices. */
  async secrets(): Promise<string[]> {
    let runs: string[][] = [];
    const names = [...this.#secrets];
    for (let start = 0; start < names.length; start += sliceNames) {
      runs.push(names.slice(start, start + sliceNames).sort());
      await nextTurn();
    }
    while (runs.length > 1) {
      const longer: string[][] = [];
      for (let i = 0; i < runs.length; i += 2) longer.push(await mergedPair(runs[i] ?? [], runs[i + 1] ?? []));
      runs = longer;
    }
    return runs[0] ?? [];
  }

  /**
   * The canonical texts, by name. A camera that changed its role between two lists is in both: the later one, which has
   * the higher generation, is kept.
   */
  *texts(): Generator<string, void> {
    let held: Found | undefined;
    for (const found of merged(this.#runs)) {
      if (held?.entry.name === found.entry.name) {
        if (found.entry.generation > held.entry.generation) held = found;
        continue;
      }
      if (held) yield textOf(held);
      held = found;
    }
    if (held) yield textOf(held);
  }
}

interface Found {
  readonly entry: Entry;
  readonly run: Run;
}

function textOf({ entry, run }: Found): string {
  return run.bytes.toString('utf8', entry.start, entry.end);
}

async function mergedPair(one: readonly string[], other: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0, j = 0; i < one.length || j < other.length; ) {
    const [a, b] = [one[i], other[j]];
    if (a !== undefined && (b === undefined || a < b)) {
      all.push(a);
      i += 1;
    } else if (b !== undefined) {
      all.push(b);
      j += 1;
    }
    if (all.length % sliceNames === 0) await nextTurn();
  }
  return all;
}

interface Cursor {
  readonly run: Run;
  at: number;
}

const nameAt = ({ run, at }: Cursor): string => run.entries[at]?.name ?? '';

/** Merges sorted runs by a binary heap of their next entries. */
function* merged(runs: readonly Run[]): Generator<Found, void> {
  const heap: Cursor[] = runs.map((run) => ({ run, at: 0 }));
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, i);
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    const entry = top.run.entries[top.at];
    if (entry) yield { entry, run: top.run };
    top.at += 1;
    if (top.at >= top.run.entries.length) {
      const last = heap.pop();
      if (last && last !== top) heap[0] = last;
    }
    sink(heap, 0);
  }
}

function sink(heap: Cursor[], start: number): void {
  for (let parent = start; ; ) {
    let least = parent;
    for (const child of [2 * parent + 1, 2 * parent + 2]) {
      const [one, other] = [heap[child], heap[least]];
      if (one && other && nameAt(one) < nameAt(other)) least = child;
    }
    const [a, b] = [heap[parent], heap[least]];
    if (least === parent || !a || !b) return;
    heap[parent] = b;
    heap[least] = a;
    parent = least;
  }
}
