import { factsOf, type View } from './view.js';

/** Where the demo speaks: a panel redrawn in place on a terminal, plain lines on change elsewhere. */
export interface Screen {
  /** A paragraph of narration. */
  say(text: string): void;
  /** Text as it is, such as a table. */
  plain(text: string): void;
  /** A smaller line: progress of the set-up. */
  note(text: string): void;
  show(view: View): void;
  /** Starts the clock that the panel shows: the moment of the first fault. */
  startClock(label: string): void;
  /** Leaves the last panel on the screen and shows no more. */
  freeze(): void;
}

type Output = Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean | undefined; columns?: number | undefined };

const csi = '\u001b[';
const bold = (text: string) => `${csi}1m${text}${csi}0m`;
const dim = (text: string) => `${csi}2m${text}${csi}0m`;
const REDRAW_MS = 200;

export function openScreen(output: Output): Screen {
  return output.isTTY ? terminalScreen(output) : plainScreen(output);
}

interface FaultClock {
  readonly label: string;
  readonly startMs: number;
}

function clockText(clock: FaultClock | undefined): string {
  if (!clock) return '';
  return `${((performance.now() - clock.startMs) / 1000).toFixed(1).padStart(5)} s since ${clock.label}`;
}

function plainScreen(output: Output): Screen {
  let clock: FaultClock | undefined;
  let shown = new Map<string, string>();
  let frozen = false;
  const stamp = () => (clock ? `[${clockText(clock)}] ` : '');
  return {
    say: (text) => output.write(`\n${stamp()}${text}\n`),
    plain: (text) => output.write(`${text}\n`),
    note: (text) => output.write(`  ${text}\n`),
    show: (view) => {
      if (frozen) return;
      const facts = factsOf(view);
      for (const [name, text] of facts) {
        if (shown.get(name) !== text) output.write(`  ${stamp()}${name}: ${text}\n`);
      }
      shown = facts;
    },
    startClock: (label) => {
      clock = { label, startMs: performance.now() };
    },
    freeze: () => {
      frozen = true;
      clock = undefined;
    },
  };
}

function terminalScreen(output: Output): Screen {
  let clock: FaultClock | undefined;
  let view: View | undefined;
  let height = 0;
  let timer: NodeJS.Timeout | undefined;
  const erase = () => {
    if (height > 0) output.write(`${csi}${height}A${csi}0J`);
    height = 0;
  };
  const draw = () => {
    if (!view || !timer) return;
    const width = (output.columns || 120) - 1;
    const lines = panel(view, clockText(clock)).map((line) => cutTo(line, width));
    erase();
    output.write(`${lines.join('\n')}\n`);
    height = lines.length;
  };
  const write = (text: string) => {
    erase();
    output.write(text);
    draw();
  };
  return {
    say: (text) => write(`\n${bold(text)}\n\n`),
    plain: (text) => write(`${text}\n`),
    note: (text) => write(dim(`  ${text}\n`)),
    show: (next) => {
      view = next;
      timer ??= setInterval(draw, REDRAW_MS);
    },
    startClock: (label) => {
      clock = { label, startMs: performance.now() };
    },
    freeze: () => {
      draw();
      clearInterval(timer);
      timer = undefined;
      height = 0;
    },
  };
}

function panel(view: View, clock: string): string[] {
  const folders = view.folders.flatMap((folder) => [
    `  ${folder.name}${folder.servers.length === 0 ? '  -' : ''}`,
    ...folder.servers.map((server) => `      ${server.name.padEnd(12)} ${server.text}`),
  ]);
  const cameras = view.cameras.map((camera) => `${camera.name} <- ${camera.text}`.padEnd(36));
  const rows = [];
  for (let at = 0; at < cameras.length; at += 2)
    rows.push(
      `      ${cameras
        .slice(at, at + 2)
        .join('  ')
        .trimEnd()}`,
    );
  return [
    `---- ${clock} `.padEnd(78, '-'),
    ...folders,
    `  Takeover    ${view.takeover}`,
    `  Queue       ${view.queue}`,
    '  Cameras     recorded by',
    ...rows,
    '-'.repeat(78),
  ];
}

/** A line that wraps would move the panel: longer ones are cut. */
function cutTo(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}~`;
}
