import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import {
  endProcesses,
  findByEnvironment,
  identify,
  isAlive,
  type ProcessIdentity,
  parseProcessStat,
} from '../../cluster/process-identity.js';

describe('the identity of a process', () => {
  const children: ChildProcess[] = [];

  async function start(script: string, env: NodeJS.ProcessEnv = {}): Promise<ProcessIdentity> {
    const child = spawn('sh', ['-c', `${script}`], { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' });
    children.push(child);
    // Only after the shell has spoken is its environment its own and its trap set.
    await once(child.stdout, 'data');
    const identity = await identify(child.pid ?? 0);
    if (!identity) throw new Error('the test process has ended by itself');
    return identity;
  }

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it('is read past a command name with spaces and brackets', () => {
    const fields = Array.from({ length: 18 }, (_, index) => `${index}`);
    const text = `42 (a) b (c)) S ${fields.join(' ')} 4711 20 21`;
    expect(parseProcessStat(text)).to.deep.equal({ state: 'S', startTime: '4711' });
  });

  it('is that of a living process, and not that of another one with the same id', async () => {
    const identity = await start('echo up; exec sleep 60');
    expect(await isAlive(identity)).to.equal(true);
    expect(await isAlive({ ...identity, startTime: '1' })).to.equal(false);
  });

  it('is never signalled after another process has taken the id', async () => {
    const identity = await start('echo up; exec sleep 60');
    await endProcesses([{ ...identity, startTime: '1' }], 0);
    expect(await isAlive(identity)).to.equal(true);
  });

  it('is gone when ending it resolves, even if the process ignores the question', async () => {
    const identity = await start('trap "" TERM; echo up; while :; do sleep 0.1; done');
    await endProcesses([identity], 100);
    expect(await isAlive(identity)).to.equal(false);
  });

  it('is found by a mark in its environment', async () => {
    const mark = `mark-${process.pid}-${process.hrtime.bigint()}`;
    const identity = await start('echo up; exec sleep 60', { UNDERSTUDY_TEST_MARK: mark });
    expect(await findByEnvironment('UNDERSTUDY_TEST_MARK', mark)).to.deep.equal([identity]);
    expect(await findByEnvironment('UNDERSTUDY_TEST_MARK', `${mark}0`)).to.deep.equal([]);
  });
});
