import { expect } from 'chai';
import type { HistoryEntry } from '../../../src/crds/index.js';
import type { Frame } from '../../scenario/frames.js';
import { seamsOf } from '../../scenario/planned-move.js';
import type { Scene } from '../../scenario/scene.js';

/**
 * Law 6, read from the files: since that moment no disk together with the others lacks a picture of the role's cameras,
 * and each camera was recorded by both holders for a while.
 */
export async function expectSeamless(scene: Scene, move: HistoryEntry, sinceMs: number): Promise<void> {
  for (const { camera, holes, overlapSeconds } of await seamsOf(scene, move, sinceMs)) {
    const way = `${move.from} -> ${move.to} (${move.trigger})`;
    const told = holes.map(({ seconds, before, after }) => `${seconds.toFixed(2)} s ${by(before)} -> ${by(after)}`);
    console.log(`      ${camera}: ${way}: ${told.length} holes, recorded twice for ${overlapSeconds.toFixed(2)} s`);
    expect(told, `${camera}: ${way}`).to.deep.equal([]);
    expect(overlapSeconds, `${camera}: ${move.from} stopped before ${move.to} recorded`).to.be.greaterThan(0);
  }
}

const by = ({ server, epoch, writer }: Frame): string => `${server}/${epoch}/${writer}`;
