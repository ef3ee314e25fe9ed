import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openJournal, parseJournal, readJournal } from '../../cluster/journal.js';

describe('the journal of a cluster', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-journal-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('gives back what was recorded, in order', async () => {
    const journal = openJournal(folder);
    journal.record({ kind: 'namespace', name: 'understudy-0-node-1' });
    journal.recordProcess({ pid: 12, startTime: '345' }, 'etcd');
    expect(await readJournal(folder)).to.deep.equal([
      { kind: 'namespace', name: 'understudy-0-node-1' },
      { kind: 'process', what: 'etcd', pid: 12, startTime: '345' },
    ]);
  });

  it('is in the file when the call returns, so that a crash right after it loses nothing', async () => {
    openJournal(folder).record({ kind: 'link', name: 'usty0' });
    expect(await readJournal(folder)).to.have.length(1);
  });

  it('goes on in the same file when it is opened again', async () => {
    openJournal(folder).record({ kind: 'link', name: 'usty0' });
    openJournal(folder).record({ kind: 'link', name: 'usty0c' });
    expect(await readJournal(folder)).to.have.length(2);
  });

  it('leaves out a last line that a crash has cut off', () => {
    const text = '{"kind":"link","name":"usty0"}\n{"kind":"li';
    expect(parseJournal(text)).to.deep.equal([{ kind: 'link', name: 'usty0' }]);
  });

  it('is empty for a cluster that has none', async () => {
    expect(await readJournal(join(folder, 'nowhere'))).to.deep.equal([]);
  });

  it('does not hide that a line in its middle is damaged', async () => {
    await writeFile(join(folder, 'journal.jsonl'), 'damaged\n{"kind":"link","name":"usty0"}\n');
    let caught: unknown;
    await readJournal(folder).catch((error: unknown) => {
      caught = error;
    });
    expect(caught).to.be.instanceOf(SyntaxError);
  });
});
