import { canonical } from './canonical.js';
import { type Fault, lateWrites } from './faults.js';
import { judged, settled, Violation, wrongAtRest } from './rest.js';
import { type Step, time } from './steps.js';
import type { World } from './world.js';

/** What a walk goes through. */
export interface Scene {
  /** A world at rest. */
  readonly start: World;
  /** What happens by itself, besides the passing of time. */
  readonly ordinary: (world: World) => readonly Step[];
  /** What may go wrong or be asked for, in any order and at any moment. */
  readonly disturbances: readonly Fault[];
  /**
   * How many of them in one run. A repair is free. So is time that passes when nobody has anything to do; time that
   * passes over somebody who has is a delay, and counts as a disturbance.
   */
  readonly mostDisturbances: number;
  /** Whether somebody may be slow, at the price of a disturbance; else everybody acts before time passes. */
  readonly delays: boolean;
  /** More states are an error: a walk that is not whole proves little. */
  readonly mostStates: number;
}

export interface Tally {
  readonly states: number;
  readonly transitions: number;
  /** States in which nothing happens by itself any more. */
  readonly rests: number;
}

interface Node {
  readonly key: string;
  /** How it was first reached; absent at the start. */
  readonly parent?: Node;
  readonly by: string;
  /** Fewest disturbances by which it was reached. */
  used: number;
}

/** A state that is yet to be gone on from. */
interface Open {
  readonly node: Node;
  readonly world: World;
}

function pathTo(node: Node): string[] {
  const names: string[] = [];
  for (let at: Node | undefined = node; at?.parent !== undefined; at = at.parent) names.push(at.by);
  return names.reverse();
}

const slowly: Step = { ...time, name: 'time passes, and somebody is slow' };

/** The violation with the way that leads to it. */
function told(node: Node, last: readonly string[], error: unknown): Violation {
  const steps = [...pathTo(node), ...last].map((name, index) => `${String(index + 1).padStart(3)}. ${name}`);
  const why = error instanceof Error ? error.message : String(error);
  return new Violation(`${why}\nafter these steps:\n${steps.join('\n')}`, { cause: error });
}

/** Nothing happens by itself any more, and nothing that has begun to fail is still under way. */
function judgeRest({ node, world }: Open): void {
  if (!world.apiAnswers || world.stale !== undefined) return;
  try {
    // What is only for people to read is not part of a state, so it may still have to be written.
    const wrong = wrongAtRest(settled(world));
    if (wrong !== undefined) throw new Violation(`at rest: ${wrong}`);
  } catch (error) {
    throw told(node, ['and nothing happens any more'], error);
  }
}

/**
 * Every order of steps, each state once: first all without a disturbance, then with one, and so on, so that what is
 * found first needs the fewest. By itself a world never comes back to where it was, so it always comes to rest.
 */
class Walk {
  readonly #scene: Scene;
  readonly #seen = new Map<string, Node>();
  /** Steps that happen by themselves, from state to state. */
  readonly #onward = new Map<string, string[]>();
  readonly #open: Open[][];
  #transitions = 0;
  #rests = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#open = Array.from({ length: scene.mostDisturbances + 1 }, () => []);
  }

  run(): Tally {
    this.#add(this.#scene.start, undefined, '', 0);
    this.#open.forEach((list, used) => {
      // The list grows while it is gone through. What was reached by fewer disturbances since then is done already.
      for (const open of list) if (open.node.used === used) this.#expand(open);
      list.length = 0;
    });
    this.#neverComesBack();
    return { states: this.#seen.size, transitions: this.#transitions, rests: this.#rests };
  }

  #add(world: World, parent: Node | undefined, by: string, used: number): string {
    const key = canonical(world);
    const known = this.#seen.get(key);
    if (known !== undefined && known.used <= used) return key;
    const node: Node = known ?? { key, by, used, ...(parent === undefined ? {} : { parent }) };
    node.used = used;
    this.#seen.set(key, node);
    if (this.#seen.size > this.#scene.mostStates)
      throw new Error(`more than ${this.#scene.mostStates} states: make the scene smaller, or allow for more`);
    this.#open[used]?.push({ node, world });
    return key;
  }

  /** Takes a step from there; the key of the state that it leads to. */
  #go({ node, world }: Open, step: Step, used: number): string | undefined {
    if (used > this.#scene.mostDisturbances) return undefined;
    let after: World | undefined;
    try {
      after = judged(world, step);
    } catch (error) {
      throw told(node, [step.name], error);
    }
    if (after === undefined) return undefined;
    this.#transitions += 1;
    return this.#add(after, node, step.name, used);
  }

  #expand(open: Open): void {
    const { node, world } = open;
    const { key, used } = node;
    const reached = this.#scene.ordinary(world).map((step) => this.#go(open, step, used));
    const onward = reached.filter((to) => to !== undefined && to !== key) as string[];
    const busy = onward.length > 0;
    if (busy && this.#scene.delays) this.#go(open, slowly, used + 1);
    const later = busy ? undefined : this.#go(open, time, used);
    if (later !== undefined && later !== key) onward.push(later);
    if (onward.length === 0) {
      this.#rests += 1;
      judgeRest(open);
    }
    this.#onward.set(key, onward);
    for (const step of lateWrites(world)) this.#go(open, step, used);
    for (const { fault, repair } of this.#scene.disturbances) {
      this.#go(open, fault, used + 1);
      if (repair !== undefined) this.#go(open, repair, used);
    }
  }

  /** By Kahn: takes away states from which all ways end, until none is left. What is left goes round for ever. */
  #neverComesBack(): void {
    const into = new Map<string, string[]>();
    const ways = new Map<string, number>();
    for (const [from, onward] of this.#onward) {
      ways.set(from, onward.length);
      for (const to of onward) into.set(to, [...(into.get(to) ?? []), from]);
    }
    const ended = [...ways].filter(([, count]) => count === 0).map(([key]) => key);
    for (const key of ended)
      for (const from of into.get(key) ?? []) {
        const left = (ways.get(from) ?? 0) - 1;
        ways.set(from, left);
        if (left === 0) ended.push(from);
      }
    if (ended.length === this.#onward.size) return;
    const done = new Set(ended);
    const turning = [...this.#onward.keys()].find((key) => !done.has(key)) ?? '';
    const node = this.#seen.get(turning);
    if (node !== undefined) throw told(node, [], new Violation('from here it can go round for ever and never rests'));
  }
}

export function walk(scene: Scene): Tally {
  return new Walk(scene).run();
}
