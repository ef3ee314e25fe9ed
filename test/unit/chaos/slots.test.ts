import { expect } from 'chai';
import { Slots } from '../../chaos/run/slots.js';

/** Work that is begun and ended by hand. */
function works(slots: Slots) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const begin = (name: string, size?: number) =>
    slots.run(() => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    }, size);
  return { begun, begin, end: (name: string) => ends.get(name)?.() };
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error('it has not come to that');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('slots', () => {
  it('let no more go on than there is room for, first come, first served', async () => {
    const { begun, begin, end } = works(new Slots(2, { busy: false }));
    const all = ['a', 'b', 'c', 'd'].map((name) => begin(name));
    await until(() => begun.length === 2);
    end('b');
    await until(() => begun.length === 3);
    expect(begun).to.deep.equal(['a', 'b', 'c']);
    for (const name of ['a', 'c']) end(name);
    await until(() => begun.length === 4);
    end('d');
    await Promise.all(all);
  });

  it('let what counts for two begin when both are free, and nothing pass it meanwhile', async () => {
    const { begun, begin, end } = works(new Slots(2, { busy: false }));
    const all = [begin('a'), begin('pair', 2), begin('c')];
    await until(() => begun.length === 1);
    end('a');
    await until(() => begun.length === 2);
    expect(begun).to.deep.equal(['a', 'pair']);
    end('pair');
    await until(() => begun.length === 3);
    end('c');
    await Promise.all(all);
  });

  it('go on with two while the machine is late, and with more once it is not', async () => {
    const machine = { busy: true };
    const { begun, begin, end } = works(new Slots(4, machine));
    const all = ['a', 'b', 'c'].map((name) => begin(name));
    await until(() => begun.length === 2);
    machine.busy = false;
    await until(() => begun.length === 3);
    for (const name of ['a', 'b', 'c']) end(name);
    await Promise.all(all);
  });

  it('are given back by work that fails', async () => {
    const slots = new Slots(1, { busy: false });
    const failed = await slots.run(() => Promise.reject(new Error('no'))).catch((error: Error) => error.message);
    expect(failed).to.equal('no');
    expect(await slots.run(() => Promise.resolve('next'))).to.equal('next');
  });
});
