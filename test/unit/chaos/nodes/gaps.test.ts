import { expect } from 'chai';
import type { CameraAssignment } from '../../../../src/crds/index.js';
import { type Footage, gapViolations, longestHole } from '../../../chaos/nodes/gaps.js';
import type { Allowance } from '../../../chaos/nodes/hits.js';
import { type Frame, holesIn } from '../../../scenario/frames.js';
import { silencesBetween } from '../../../scenario/silences.js';

const BEGIN = Date.parse('2026-01-02T03:00:00Z');

/** Ten pictures a second, between seconds of the case. */
function pictures(from: number, to: number, server: string, epoch: number): Frame[] {
  return Array.from({ length: Math.round((to - from) * 10) }, (_, index) => ({
    timeMs: BEGIN + from * 1000 + index * 100,
    isKey: index % 10 === 0,
    server,
    epoch,
    writer: `${server}${epoch}`,
  }));
}

function footage(frames: readonly Frame[], change: Partial<Footage> = {}): Footage {
  const holes = holesIn(frames, 700);
  return {
    measurement: { camera: 'gate', role: 'recorder', holes, keyFrameSeconds: 1, frames },
    fromMs: BEGIN,
    untilMs: BEGIN + 60_000,
    connectSeconds: () => 0.5,
    silences: [],
    stolenSeconds: () => 0,
    told: [],
    ...change,
  };
}

const allows = (holeSeconds: number): Allowance => ({ holeSeconds, least: 0, most: 0, nobodyLeft: false });
const withHole = (seconds: number) => [...pictures(0, 20, 'a', 1), ...pictures(20 + seconds, 60, 'b', 2)];

const telling = (...states: readonly (readonly [number, string])[]): Footage['told'] =>
  states.map(([second, status]) => ({
    atMs: BEGIN + second * 1000,
    type: 'MODIFIED',
    object: { status: { conditions: [{ type: 'Recording', status }] } } as unknown as CameraAssignment,
  }));

describe('the footage of a case on real nodes', () => {
  it('is as it should be without a hole', () => {
    expect(gapViolations(footage(pictures(0, 60, 'a', 1)), allows(0))).to.deep.equal([]);
  });

  it('must have no hole where none is allowed', () => {
    const [line] = gapViolations(footage(withHole(1.2)), allows(0));
    expect(line).to.match(/^gate has no pictures for 1\.30 s from .* \(a\) to .* \(b\), and none is allowed$/);
    expect(longestHole(footage(withHole(1.2)))).to.be.closeTo(1.3, 0.01);
  });

  it('may have one as long as the bound, the connect time and a key frame together', () => {
    expect(gapViolations(footage(withHole(9.3)), allows(8))).to.deep.equal([]);
    expect(gapViolations(footage(withHole(9.6)), allows(8)).join()).to.match(/9\.70 s .* and 9\.50 s are allowed/);
  });

  it('may have one that is longer by what the host took of the processor in it, but none where none is allowed', () => {
    const stolen = { stolenSeconds: (startMs: number, endMs: number) => (endMs - startMs) / 10_000 };
    expect(gapViolations(footage(withHole(9.6), stolen), allows(8))).to.deep.equal([]);
    expect(gapViolations(footage(withHole(11), stolen), allows(8)).join()).to.match(/10\.61 s are allowed/);
    expect(gapViolations(footage(withHole(1.2), stolen), allows(0)).join()).to.match(/none is allowed/);
  });

  it('is not missing what the camera did not send, or the machine let nobody receive', () => {
    const silent = (from: number, to: number) => ({
      silences: [{ startMs: BEGIN + from * 1000, endMs: BEGIN + to * 1000 }],
    });
    expect(gapViolations(footage(withHole(2), silent(20, 21.6)), allows(0))).to.deep.equal([]);
    expect(longestHole(footage(withHole(2), silent(20, 21.6)))).to.be.closeTo(0.5, 0.01);
    expect(gapViolations(footage(withHole(2), silent(21, 30)), allows(0)).join()).to.match(/none is allowed/);
    expect(gapViolations(footage(withHole(2), silent(30, 40)), allows(0)).join()).to.match(/none is allowed/);
    expect(silencesBetween([0, 100, 200, 700, 800])).to.deep.equal([{ startMs: 200, endMs: 700 }]);
  });

  it('must begin with the case and go on to its end', () => {
    expect(gapViolations(footage(pictures(6, 60, 'a', 1)), allows(8)).join()).to.match(/begins at 03:00:06/);
    expect(gapViolations(footage(pictures(0, 40, 'a', 1)), allows(8)).join()).to.match(/ends at 03:00:39/);
    const made = { fromMs: undefined };
    expect(gapViolations(footage(pictures(6, 60, 'a', 1), made), allows(8))).to.deep.equal([]);
  });

  it('must not be missing for long without the camera saying so', () => {
    const endless = allows(Number.POSITIVE_INFINITY);
    const silent = footage(withHole(30), { told: telling([-5, 'True']) });
    expect(gapViolations(silent, endless).join()).to.match(/was said to be recorded all the time/);
    const honest = footage(withHole(30), { told: telling([-5, 'True'], [31, 'Unknown'], [51, 'True']) });
    expect(gapViolations(honest, endless)).to.deep.equal([]);
    const earlier = footage(withHole(30), { told: telling([-9, 'False'], [-5, 'True']) });
    expect(gapViolations(earlier, endless).join()).to.match(/was said to be recorded all the time/);
  });
});
