import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { silentLog } from '../../../src/operator/index.js';
import { AssignmentMemory } from '../../../src/recorder/assignment/memory.js';
import { formatState } from '../../../src/recorder/assignment/state-file.js';
import type { FootageVolume } from '../../../src/recorder/disks/footage-volume.js';
import { ASSIGNMENT_FILE, OWN_FOLDER } from '../../../src/recorder/footage/layout.js';

const cam = {
  name: 'cam',
  type: 'IP',
  url: 'rtsp://camera',
  secretName: undefined,
  transport: 'TCP',
  connectTimeoutSeconds: 5,
  audio: false,
  segmentSeconds: 10,
  retentionSeconds: 60,
  priority: 'Normal',
} as const;

describe('the place of footage that does not tell it', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'understudy-memory-'));
    await mkdir(join(root, OWN_FOLDER));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const memoryOf = () => {
    const volumes = [{ mountPath: root } as unknown as FootageVolume];
    return new AssignmentMemory({ server: 'rec', podUID: 'p', volumes, log: silentLog });
  };
  const remember = (role: string, epoch: number) =>
    writeFile(
      join(root, ASSIGNMENT_FILE),
      `${formatState({ server: 'rec', role, epoch, podUID: 'p', cameras: [cam] })}\n`,
    );

  it('is not guessed before volumes and API server have been heard', async () => {
    const memory = memoryOf();
    expect(memory.placeOf('cam')).to.equal(undefined);
    await memory.readVolumes();
    expect(memory.placeOf('cam')).to.equal(undefined);
    memory.giveTurn();
    expect(memory.placeOf('cam')).to.not.equal(undefined);
  });

  it('is the role that was remembered with the camera, whatever is assigned by now', async () => {
    await remember('other', 7);
    const memory = memoryOf();
    await memory.readVolumes();
    memory.learnFromApi({ role: 'third', epoch: 9, podUID: 'p' });
    expect(memory.placeOf('cam')).to.deep.equal({ role: 'other', epoch: 7 });
  });

  it('is the server itself, at an epoch that no assignment has, when nothing is remembered of the camera', async () => {
    await remember('other', 7);
    const memory = memoryOf();
    await memory.readVolumes();
    memory.giveTurn();
    expect(memory.placeOf('foreign')).to.deep.equal({ role: 'rec', epoch: 0 });
  });
});
