// A fake client: the server has to misbehave in each of its answers, for minutes.
import { expect } from 'chai';
import { ApiError } from '../../../src/operator/api/error.js';
import type { KubeClient, WatchEvent, WatchOptions } from '../../../src/operator/api/types.js';
import { createReflector } from '../../../src/operator/cache/reflector.js';
import { resources } from '../../../src/operator/resources.js';
import { FakeClock } from '../support/fake-clock.js';

const metadata = (resourceVersion: string) => ({ name: 'n', resourceVersion });
const bookmark: WatchEvent = { type: 'BOOKMARK', object: { metadata: metadata('2') } };
const change = (version: number): WatchEvent => ({ type: 'MODIFIED', object: { metadata: metadata(String(version)) } });
const expired: WatchEvent = { type: 'ERROR', object: { code: 410, reason: 'Expired' } };

/** Lists and watches that a reflector makes in a minute of a server whose watches bring these events and end. */
async function aMinute(events: (watch: number) => WatchEvent[]): Promise<{ lists: number; watches: number }> {
  const clock = new FakeClock();
  const made = { lists: 0, watches: 0 };
  const client: Pick<KubeClient, 'listPages' | 'watch'> = {
    async *listPages() {
      made.lists += 1;
      yield { items: [], resourceVersion: '1' };
    },
    async watch(_type, options: WatchOptions) {
      made.watches += 1;
      // Bounds the test, should the reflector never pause.
      if (made.watches > 10_000) await new Promise((resolve) => options.signal.addEventListener('abort', resolve));
      for (const event of events(made.watches)) options.onEvent(event);
    },
  };
  const project = () => 'x';
  const reflector = createReflector(client, { type: resources.nodes, project, clock, random: () => 0.5 });
  reflector.start();
  await clock.advance(60_000);
  await reflector.stop();
  return made;
}

/**
 * How long after an outage of the API server it lists again, when the server then refuses everybody for a while, as one
 * does that has just started. Milliseconds.
 */
async function deafAfter(outageMs: number, refusingMs = 0): Promise<number> {
  const clock = new FakeClock();
  let listed: number | undefined;
  const client: Pick<KubeClient, 'listPages' | 'watch'> = {
    async *listPages() {
      if (clock.monotonic() < outageMs) throw new ApiError('transient', 'connect ECONNREFUSED');
      if (clock.monotonic() < outageMs + refusingMs) throw new ApiError('forbidden', 'roles are not read yet');
      listed ??= clock.monotonic();
      yield { items: [], resourceVersion: '1' };
    },
    async watch(_type, options: WatchOptions) {
      await new Promise((resolve) => options.signal.addEventListener('abort', resolve));
    },
  };
  const reflector = createReflector(client, { type: resources.nodes, project: () => 'x', clock, random: () => 1 });
  reflector.start();
  await clock.advance(outageMs + refusingMs + 60_000);
  await reflector.stop();
  return (listed ?? Number.POSITIVE_INFINITY) - outageMs - refusingMs;
}

describe('the pace of a reflector', () => {
  it('hears again within 3 s after an outage of the API server, however long that was', async () => {
    for (const outageMs of [8_000, 30_000, 600_000]) expect(await deafAfter(outageMs)).to.be.at.most(3_000);
  });

  it('hears again within 3 s after a server that came back has refused everybody for a while', async () => {
    for (const refusingMs of [500, 1_000, 2_000])
      expect(await deafAfter(8_000, refusingMs), `${refusingMs} ms`).to.be.at.most(3_000);
  });

  it('grows slow with a server that answers now and then, only to refuse', async () => {
    let lists = 0;
    const clock = new FakeClock();
    const client: Pick<KubeClient, 'listPages' | 'watch'> = {
      // biome-ignore lint/correctness/useYield: it never lists anything.
      async *listPages() {
        lists += 1;
        if (lists % 2 === 0) throw new ApiError('forbidden', 'no');
        throw new ApiError('transient', 'connect ECONNREFUSED');
      },
      watch: () => Promise.resolve(),
    };
    const reflector = createReflector(client, { type: resources.nodes, project: () => 'x', clock, random: () => 0.5 });
    reflector.start();
    await clock.advance(60_000);
    await reflector.stop();
    expect(lists).to.be.at.most(25);
  });

  it('grows slow with watches that bring a bookmark and end', async () => {
    expect((await aMinute(() => [bookmark])).watches).to.be.within(5, 20);
  });

  it('grows slow with lists whose version expires after a bookmark', async () => {
    expect((await aMinute(() => [bookmark, expired])).lists).to.be.within(5, 20);
  });

  it('is bounded with watches that bring one change and end, and with versions that then expire', async () => {
    expect((await aMinute((watch) => [change(watch + 2)])).watches).to.be.within(300, 1300);
    expect((await aMinute((watch) => [change(watch + 2), expired])).lists).to.be.within(5, 1300);
  });
});
