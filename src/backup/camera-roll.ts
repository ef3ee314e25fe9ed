import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CameraAssignment } from '../crds/index.js';
import { baselineCamera } from './baseline.js';
import { canonicalJson } from './canonical-json.js';

interface Entry {
  readonly name: string;
  readonly generation: number;
  readonly text: string;
}

/** Cameras of one role, as a list of the API server returned them. */
export class CameraRun {
  readonly entries: Entry[] = [];
  readonly secrets = new Set<string>();

  /** Keeps what the baseline keeps of a camera, as text: a fifth of what the object takes. */
  add(camera: CameraAssignment): void {
    const { name, generation = 0 } = camera.metadata as { name: string; generation?: number };
    const secret = camera.spec.source.credentialsSecretRef?.name;
    if (secret !== undefined) this.secrets.add(secret);
    this.entries.push({ name, generation, text: canonicalJson(baselineCamera(camera)) });
  }
}

/** All cameras of a baseline, from any number of runs, without ever being sorted as a whole. */
export class CameraRoll {
  readonly #runs: Entry[][] = [];
  readonly #secrets = new Set<string>();

  static async of(cameras: Iterable<CameraAssignment>): Promise<CameraRoll> {
    const run = new CameraRun();
    let count = 0;
    for (const camera of cameras) {
      run.add(camera);
      if (++count % 250 === 0) await nextTurn();
    }
    const roll = new CameraRoll();
    roll.take(run);
    return roll;
  }

  take({ entries, secrets }: CameraRun): void {
    // The API server lists by name: sorting what is sorted costs one look.
    if (entries.length > 0) this.#runs.push(entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)));
    for (const secret of secrets) this.#secrets.add(secret);
  }

  /** Names of the Secrets with the cameras' logins; each once, in no order. */
  get secrets(): Iterable<string> {
    return this.#secrets;
  }

  /**
   * The canonical texts, by name. A camera that changed its role between two lists is in both: the later one, which has
   * the higher generation, is kept.
   */
  *texts(): Generator<string, void> {
    let held: Entry | undefined;
    for (const entry of merged(this.#runs)) {
      if (held?.name === entry.name) {
        if (entry.generation > held.generation) held = entry;
        continue;
      }
      if (held) yield held.text;
      held = entry;
    }
    if (held) yield held.text;
  }
}

interface Cursor {
  readonly run: readonly Entry[];
  at: number;
}

const nameAt = ({ run, at }: Cursor): string => run[at]?.name ?? '';

/** Merges sorted runs by a binary heap of their next entries. */
function* merged(runs: readonly (readonly Entry[])[]): Generator<Entry, void> {
  const heap: Cursor[] = runs.map((run) => ({ run, at: 0 }));
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, i);
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    const entry = top.run[top.at];
    if (entry) yield entry;
    top.at += 1;
    if (top.at >= top.run.length) {
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
