import type { ReachAnswer } from './findings.js';
import type { SampledCamera } from './sample.js';

/** Cameras of a role that are tried to answer a question: enough to tell a dead network from dead cameras. */
export const ASKED_CAMERAS = 8;
/** An answer is found again after so long, while the question stands. Milliseconds. */
const AGAIN_MS = 30_000;

/** A question of the operator: are cameras of this role reached now? */
interface Question {
  readonly role: string;
  /** Undefined until the role's cameras have been listed. */
  cameras?: readonly SampledCamera[];
  listing: boolean;
  /** Still to be tried in the present round. */
  left: SampledCamera[];
  tried: number;
  reached: number;
  pending: number;
  /** Monotonic milliseconds at which the next round begins. */
  nextAt: number;
  answer?: ReachAnswer;
}

/** The role in a question's id, `<role>/<time>`. */
function roleOf(id: string): string {
  return id.slice(0, id.indexOf('/'));
}

/** The operator's questions and how far they are answered. Knows no clock and no camera: the prober drives it. */
export class ReachQuestions {
  readonly #questions = new Map<string, Question>();

  /** The questions as they stand now: new ones begin, others end with their answers. */
  set(ids: readonly string[]): void {
    const wanted = ids.filter((id) => roleOf(id) !== '');
    for (const id of this.#questions.keys()) if (!wanted.includes(id)) this.#questions.delete(id);
    for (const id of wanted) {
      if (this.#questions.has(id)) continue;
      this.#questions.set(id, {
        role: roleOf(id),
        listing: false,
        left: [],
        tried: 0,
        reached: 0,
        pending: 0,
        nextAt: 0,
      });
    }
  }

  clear(): void {
    this.#questions.clear();
  }

  get size(): number {
    return this.#questions.size;
  }

  get answers(): ReachAnswer[] {
    return [...this.#questions.values()].map(({ answer }) => answer).filter((answer) => answer !== undefined);
  }

  /** A question whose cameras have still to be listed; asked for once until `listed` or `notListed` is called. */
  toList(now: number): { readonly id: string; readonly role: string } | undefined {
    for (const [id, question] of this.#questions) {
      if (question.cameras !== undefined || question.listing || question.nextAt > now) continue;
      question.listing = true;
      return { id, role: question.role };
    }
    return undefined;
  }

  /** True when this made an answer: a role without cameras has none to be reached. */
  listed(id: string, cameras: readonly SampledCamera[], now: number): boolean {
    const question = this.#questions.get(id);
    if (question === undefined) return false;
    question.listing = false;
    if (cameras.length > 0) {
      question.cameras = cameras.slice(0, ASKED_CAMERAS);
      return false;
    }
    question.nextAt = now + AGAIN_MS;
    const news = question.answer === undefined;
    question.answer = { id, total: 0, reachable: 0 };
    return news;
  }

  /** The list failed; it is tried again after a while. */
  notListed(id: string, now: number): void {
    const question = this.#questions.get(id);
    if (question === undefined) return;
    question.listing = false;
    question.nextAt = now + AGAIN_MS;
  }

  /** The next camera that has to be tried for a question. */
  next(now: number): { readonly id: string; readonly camera: SampledCamera } | undefined {
    for (const [id, question] of this.#questions) {
      if (question.cameras === undefined) continue;
      if (question.left.length === 0 && question.pending === 0 && question.nextAt <= now) begin(question);
      const camera = question.left.shift();
      if (camera === undefined) continue;
      question.pending += 1;
      return { id, camera };
    }
    return undefined;
  }

  /** True when this made an answer that is new. */
  settle(id: string, reached: boolean, now: number): boolean {
    const question = this.#questions.get(id);
    if (question === undefined) return false;
    question.pending -= 1;
    question.tried += 1;
    if (reached) question.reached += 1;
    if (question.left.length > 0 || question.pending > 0) return false;
    question.nextAt = now + AGAIN_MS;
    const { answer: before, tried, reached: reachable } = question;
    question.answer = { id, total: tried, reachable };
    return before?.total !== tried || before.reachable !== reachable;
  }

  /** Milliseconds until a question has something to do; undefined when there is none. */
  dueInMs(now: number): number | undefined {
    const waiting = [...this.#questions.values()].filter(({ listing, pending, left }) => {
      return !listing && (left.length > 0 || pending === 0);
    });
    if (waiting.length === 0) return undefined;
    return Math.max(0, Math.min(...waiting.map(({ left, nextAt }) => (left.length > 0 ? 0 : nextAt - now))));
  }
}

function begin(question: Question): void {
  question.left = [...(question.cameras ?? [])];
  question.tried = 0;
  question.reached = 0;
}
