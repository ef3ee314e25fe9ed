import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ChildLane } from '../../../src/recorder/children/child-lane.js';

/** Stops this process's event loop, as a stunned virtual machine or a frozen group of processes does. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('the child of a disk', () => {
  it('is not taken for hung because this process was paused beyond the deadline', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-child-'));
    const said = join(folder, 'said');
    const deadlineMs = 200;
    const running = new ChildLane().run({ script: 'echo well; : >"$1"', args: [said], deadlineMs });
    pause(2 * deadlineMs);
    for (let left = 1000; left > 0 && !existsSync(said); left -= 1) pause(20);
    expect(await running).to.include({ code: 0, stdout: 'well\n', timedOut: false });
    await rm(folder, { recursive: true });
  });

  it('is given up at its deadline, and keeps its lane until it has ended', async () => {
    const lane = new ChildLane();
    const result = await lane.run({ script: 'trap "" TERM; sleep 60', args: [], deadlineMs: 50 });
    expect(result).to.include({ timedOut: true, untried: false });
    expect(() => lane.run({ script: 'true', args: [], deadlineMs: 50 })).to.throw('outstanding');
  });

  it('is held by the kernel only while a disk keeps it, not while it merely takes long', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-child-'));
    const runs = join(folder, 'runs');
    const lane = new ChildLane();
    const running = lane.run({ script: ': >"$1"; while :; do :; done', args: [runs], deadlineMs: 1000 });
    while (!existsSync(runs)) pause(20);
    expect([lane.busy, lane.held]).to.deep.equal([true, false]);
    expect(await running).to.include({ timedOut: true });
    await lane.settled(60_000);
    expect([lane.busy, lane.held]).to.deep.equal([false, false]);
    await rm(folder, { recursive: true });
  });

  it('that can not be started is told as untried, and frees its lane', async () => {
    const lane = new ChildLane();
    // Longer than the kernel takes: the start itself throws.
    const args = Array.from({ length: 40 }, () => 'x'.repeat(130_000));
    expect(await lane.run({ script: 'true', args, deadlineMs: 5000 })).to.include({ untried: true, timedOut: false });
    expect(lane.busy).to.equal(false);
  });

  it('that somebody killed is told as untried: it says nothing of the disk', async () => {
    const result = await new ChildLane().run({ script: 'kill -9 $$', args: [], deadlineMs: 5000 });
    expect(result).to.include({ code: undefined, untried: true });
  });
});
