import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { silentLog, systemClock } from '../../../src/operator/index.js';
import { Journal } from '../../../src/recorder/footage/journal.js';
import type { Place } from '../../../src/recorder/footage/layout.js';
import { Retention } from '../../../src/recorder/footage/retention.js';
import { FakeClock } from '../support/fake-clock.js';

describe('footage on a volume', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'understudy-footage-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function file(path: string, bytes = 1): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), 'x'.repeat(bytes));
  }

  async function segments(): Promise<string[]> {
    const names = await readdir(root, { recursive: true });
    return names.filter((name) => name.endsWith('.ts')).sort();
  }

  async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Runs retention, with so many bytes too few on the volume, until the condition holds. */
  async function retain(missing: number, what: string, condition: () => Promise<boolean>): Promise<void> {
    const clock = new FakeClock(new Date());
    const space = { sizeBytes: 100, availableBytes: 5 - missing, inodes: 0, freeInodes: 0 };
    const retention = new Retention({ mountPath: root, clock, log: silentLog, space: () => space });
    retention.start();
    try {
      await clock.advance(2000);
      await until(what, condition);
    } finally {
      retention.stop();
    }
  }

  it('gives way from the oldest on although a day has more folders than a command line takes', async () => {
    const name = 'c'.repeat(200);
    for (let index = 0; index < 6000; index += 1) {
      await mkdir(join(root, `role/${name}/e1-20260101-${String(index).padStart(200, '0')}`), { recursive: true });
    }
    await file(`role/${name}/e1-20260101-a/20260101T000000Z.ts`, 10);
    await file(`role/${name}/e1-20260102-b/20260102T000000Z.ts`, 10);
    const oldest = join(root, `role/${name}/e1-20260101-a/20260101T000000Z.ts`);
    await retain(1, 'the oldest is gone', () =>
      access(oldest).then(
        () => false,
        () => true,
      ),
    );
    await access(join(root, `role/${name}/e1-20260102-b/20260102T000000Z.ts`));
  }).timeout(90_000);

  it('ages beside folders that are not ours', async () => {
    await mkdir(join(root, 'lost+found/a/e1-20200101-x'), { recursive: true });
    await file('lost+found/a/e1-20200101-x/20200101T000000Z.ts');
    await file('role/cam/e1-20260101-a/20260101T000000Z.ts', 10);
    await retain(1, 'ours is gone', async () => (await segments()).every((path) => path.startsWith('lost+found')));
    expect(await segments()).to.have.length(1);
  });

  it('is moved to its place by a flush although a round is under way', async () => {
    const journal = new Journal({
      mountPath: root,
      clock: systemClock,
      log: silentLog,
      onGrowth: () => undefined,
      onTrouble: () => undefined,
    });
    expect(await journal.open('cam', '20260101-aa', { role: 'role', epoch: 1 }, '{}')).to.equal(true);
    await file('.understudy/staging/cam/20260101-aa/20260101T000000Z.ts');
    journal.end('20260101-aa');
    const underWay = journal.flush();
    expect(await Promise.all([underWay, journal.flush(), journal.flush()])).to.deep.equal([true, true, true]);
    expect(await segments()).to.deep.equal(['role/cam/e1-20260101-aa/20260101T000000Z.ts']);
  });

  it('is not left behind by a power cut that took the marker of its place', async () => {
    let place: Place | undefined;
    const journal = new Journal({
      mountPath: root,
      clock: systemClock,
      log: silentLog,
      placeOf: () => place,
      onGrowth: () => undefined,
      onTrouble: () => undefined,
    });
    await file('.understudy/staging/cam/20260101-aa/20260101T000000Z.ts');
    expect([await journal.flush(), await journal.flush()]).to.deep.equal([true, true]);
    expect(await segments()).to.deep.equal(['.understudy/staging/cam/20260101-aa/20260101T000000Z.ts']);
    place = { role: 'role', epoch: 4 };
    for (let round = 0; round < 5; round += 1) expect(await journal.flush()).to.equal(true);
    expect(await segments()).to.deep.equal(['role/cam/e4-20260101-aa/20260101T000000Z.ts']);
    expect(await readdir(join(root, '.understudy/staging/cam'))).to.deep.equal([]);
  });

  it('has its retention beside it under each role that the writer has served, and so ages under both', async () => {
    const journal = new Journal({
      mountPath: root,
      clock: systemClock,
      log: silentLog,
      onGrowth: () => undefined,
      onTrouble: () => undefined,
    });
    const rule = '{"retentionSeconds":60}';
    const staged = '.understudy/staging/cam/20260101-aa';
    await journal.open('cam', '20260101-aa', { role: 'home', epoch: 2 }, rule);
    await file(`${staged}/20260101T000000Z.ts`);
    await file(`${staged}/20260101T000010Z.ts`);
    await journal.flush();
    await journal.flush();
    // The substitute was adopted for good: the same writer goes on under its own name.
    journal.moveTo('20260101-aa', { role: 'substitute', epoch: 3 });
    journal.end('20260101-aa');
    for (let round = 0; round < 3; round += 1) await journal.flush();
    expect(await segments()).to.deep.equal([
      'home/cam/e2-20260101-aa/20260101T000000Z.ts',
      'substitute/cam/e3-20260101-aa/20260101T000010Z.ts',
    ]);
    for (const role of ['home', 'substitute'])
      expect((await readFile(join(root, role, 'cam/retention.json'), 'utf8')).trim(), role).to.equal(rule);
  });
});
