import { type Moment, moments, type NodeFault, nodeFaults, traitsOf } from './faults.js';

/** One injection: a fault, when it strikes, and a number from which all else is drawn. */
export interface NodeCase {
  readonly fault: NodeFault;
  readonly moment: Moment;
  readonly number: number;
}

/** First part of the names of all cases of this tier. */
export const TIER = 'nodes';

/** Fault and moment, as a name begins with it. */
export function kindOf({ fault, moment }: Pick<NodeCase, 'fault' | 'moment'>): string {
  return `${TIER}/${fault}/${moment}`;
}

/** The name by which `--only` repeats a case. */
export function nameOf(one: NodeCase): string {
  return `${kindOf(one)}/${one.number}`;
}

/** The inverse of `nameOf`; undefined for what is no name of a case. */
export function parseName(name: string): NodeCase | undefined {
  const [tier, faultName, momentName, text, ...rest] = name.split('/');
  const fault = nodeFaults.find((known) => known === faultName);
  const moment = moments.find((known) => known === momentName);
  if (tier !== TIER || fault === undefined || moment === undefined || rest.length > 0) return undefined;
  if (text === undefined || !/^\d{1,9}$/.test(text) || !traitsOf(fault).moments.includes(moment)) return undefined;
  return { fault, moment, number: Number(text) };
}

/** What one system that was hit has shown. */
export interface NodeResult {
  /** Of the case; all systems that one injection has hit share it. */
  readonly name: string;
  /** Namespace of the system. */
  readonly system: string;
  readonly fault: NodeFault;
  /** Where this system really stood when it was hit. */
  readonly moment: Moment;
  /** False when the moment never came, or nothing of this system was hit: no case. */
  readonly reached: boolean;
  /** The machine stood still meanwhile: what was found says nothing, and counts as no case. */
  readonly disturbed: boolean;
  readonly violations: readonly string[];
  /** For whoever looks into a violation. */
  readonly notes: readonly string[];
  /** Longest time that a camera of it has no pictures of, by its files; undefined when they could not be read. Seconds. */
  readonly longestGapSeconds: number | undefined;
  readonly seconds: number;
}
