import { expect } from 'chai';
import { AdoptedCameras } from '../../../src/recorder/cameras/adopted-cameras.js';
import type { CameraTask } from '../../../src/recorder/cameras/camera-task.js';
import { FakeClock } from '../support/fake-clock.js';

const task = (name: string): CameraTask => ({
  name,
  type: 'IP',
  url: `rtsp://camera.example/${name}`,
  secretName: undefined,
  transport: 'TCP',
  connectTimeoutSeconds: 5,
  audio: false,
  segmentSeconds: 10,
  retentionSeconds: 3600,
  priority: 'Normal',
});

/** The substitute s1, which records the cameras x and y of the role a. */
function substitute() {
  const clock = new FakeClock();
  let planned = 0;
  const adopted = new AdoptedCameras({
    server: 's1',
    clock,
    onChange: () => {
      planned += 1;
    },
  });
  const join = (role: string, ofRole: string[], ownName: [string, string | undefined][] = []) =>
    adopted
      .join(
        role,
        ofRole.map(task),
        ownName.map(([name, boundTo]) => ({ task: task(name), boundTo })),
      )
      .map(({ name }) => name);
  join('a', ['x', 'y']);
  return { clock, join, planned: () => planned };
}

describe('the cameras of a substitute', () => {
  it('are those of the role', () => {
    expect(substitute().join('a', ['x', 'y'])).to.deep.equal(['x', 'y']);
  });

  it('go on when they come to its own name, whichever watch tells of it first', () => {
    const { join } = substitute();
    expect(join('a', ['y']), 'left the old name').to.deep.equal(['x', 'y']);
    expect(join('a', ['y'], [['x', undefined]]), 'bound to nobody yet').to.deep.equal(['x', 'y']);
    expect(
      join(
        'a',
        [],
        [
          ['x', 's1'],
          ['y', 's1'],
        ],
      ),
      'both bound to it',
    ).to.deep.equal(['x', 'y']);
  });

  it('end when another server is bound to them', () => {
    const { join } = substitute();
    expect(join('a', ['y'], [['x', 's2']])).to.deep.equal(['y']);
    expect(join('a', ['y'], [])).to.deep.equal(['y']);
  });

  it('end five seconds after they were deleted or went elsewhere, and not by the next event alone', async () => {
    const { clock, join, planned } = substitute();
    expect(join('a', ['y'])).to.deep.equal(['x', 'y']);
    await clock.advance(4_999);
    expect(join('a', ['y'])).to.deep.equal(['x', 'y']);
    expect(planned()).to.equal(0);
    await clock.advance(1);
    expect(planned()).to.equal(1);
    expect(join('a', ['y'])).to.deep.equal(['y']);
    expect(join('a', ['y'])).to.deep.equal(['y']);
  });

  it('are recorded from the start when they name it and are bound to it', () => {
    expect(substitute().join('a', ['x'], [['new', 's1']])).to.include('new');
  });

  it('are not begun when they name it and are bound to nobody', () => {
    expect(substitute().join('a', ['x', 'y'], [['new', undefined]])).to.deep.equal(['x', 'y']);
  });

  it('are forgotten with the role, and a home is left alone', () => {
    const { join } = substitute();
    expect(join('', [])).to.deep.equal([]);
    expect(join('s1', ['z'])).to.deep.equal(['z']);
    expect(join('s1', [])).to.deep.equal([]);
  });
});
