import { canonical } from './canonical.js';
import type { Fault } from './faults.js';
import { lateWrites } from './faults.js';
import { judged, settled, Violation, wrongAtRest } from './rest.js';
import { ordinarySteps, type Step } from './steps.js';
import type { World } from './world.js';

/** What a walk goes through. */
export interface Scene {
  readonly start: World;
  /** What may go wrong, in any order and at any moment. A repair needs its fault and is free. */
  readonly disturbances: readonly Fault[];
  readonly mostDisturbances: number;
  /** Longest sequence of steps. */
  readonly depth: number;
  /** What happens by itself. */
  readonly ordinary?: (world: World) => Step[];
  /** States at most; reaching it is an error, since a walk that is not whole proves little. */
  readonly mostStates: number;
}

export interface Tally {
  readonly states: number;
  readonly transitions: number;
  /** States from which it was led to rest. */
  readonly rests: number;
  /** States whose successors were not looked at, because they lie at the depth of the walk. */
  readonly frontier: number;
}

interface Node {
  readonly world: World;
  readonly left: number;
  readonly depth: number;
  readonly parent?: Node;
  readonly by: string;
}

function pathOf(node: Node | undefined): string[] {
  const names: string[] = [];
  for (let at = node; at?.parent !== undefined; at = at.parent) names.push(at.by);
  return names.reverse();
}

function told(node: Node, last: string | undefined, error: unknown): Violation {
  const steps = [...pathOf(node), ...(last === undefined ? [] : [last])].map((name, index) => `${index + 1}. ${name}`);
  const why = error instanceof Error ? error.message : String(error);
  const told = new Violation(`${why}\nafter these steps:\n${steps.join('\n')}`);
  told.cause = error;
  return told;
}

/** Leads a state to rest, once for all states that lie on the way. */
function restsFrom(node: Node, led: Set<string>): void {
  try {
    const last = settled(node.world, (now) => {
      const key = canonical(now);
      const known = led.has(key);
      led.add(key);
      return known;
    });
    const wrong = last && wrongAtRest(last);
    if (wrong !== undefined) throw new Violation(`at rest: ${wrong}`);
  } catch (error) {
    throw told(node, 'and the faults stop', error);
  }
}

/** Every order of steps, each state once, breadth first: the first violation that is found has the shortest way. */
export function walk(scene: Scene): Tally {
  const seen = new Map<string, number>();
  const led = new Set<string>();
  let transitions = 0;
  let frontier = 0;
  let queue: Node[] = [{ world: scene.start, left: scene.mostDisturbances, depth: 0, by: '' }];
  const ordinary = scene.ordinary ?? ordinarySteps;
  while (queue.length > 0) {
    const next: Node[] = [];
    for (const node of queue) {
      const { world, left, depth } = node;
      const key = canonical(world);
      // Been here with as many disturbances to come: all that follows is known. Breadth first, so never from deeper.
      if ((seen.get(key) ?? -1) >= left) continue;
      const fresh = !seen.has(key);
      seen.set(key, left);
      if (seen.size > scene.mostStates) throw new Error(`more than ${scene.mostStates} states; make the scene smaller`);
      if (fresh) restsFrom(node, led);
      if (depth >= scene.depth) {
        frontier += 1;
        continue;
      }
      const go = (step: Step, cost: number): void => {
        let after: World | undefined;
        try {
          after = judged(world, step);
        } catch (error) {
          throw told(node, step.name, error);
        }
        if (after === undefined) return;
        transitions += 1;
        next.push({ world: after, left: left - cost, depth: depth + 1, parent: node, by: step.name });
      };
      for (const step of [...ordinary(world), ...lateWrites(world)]) go(step, 0);
      for (const { fault, repair } of scene.disturbances) {
        if (left > 0) go(fault, 1);
        if (repair !== undefined) go(repair, 0);
      }
    }
    queue = next;
  }
  return { states: seen.size, transitions, rests: led.size, frontier };
}
