/** Takes away what has been brought up, once, at the end or at Ctrl-C. */
export interface Ending {
  /** The last added is undone first. */
  add(name: string, step: () => Promise<void>): void;
  run(): Promise<void>;
  /** Leaves everything as it is. */
  forget(): void;
  /** Whether the user asked to stop. */
  interrupted(): boolean;
}

const EXIT_INTERRUPTED = 130;

export function openEnding(note: (text: string) => void): Ending {
  let steps: { name: string; step: () => Promise<void> }[] = [];
  let running: Promise<void> | undefined;
  let interrupted = false;
  const run = () => {
    running ??= undoAll(steps, note);
    return running;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupted) return;
      interrupted = true;
      note('Stopping: everything is being taken away again ...');
      // What is half made when the signal comes is not in the list: the cluster's own guard takes that away.
      run().finally(() => process.exit(EXIT_INTERRUPTED));
    });
  }
  return {
    add: (name, step) => {
      steps = [{ name, step }, ...steps];
    },
    run,
    forget: () => {
      steps = [];
    },
    interrupted: () => interrupted,
  };
}

async function undoAll(steps: readonly { name: string; step: () => Promise<void> }[], note: (text: string) => void) {
  for (const { name, step } of steps) {
    try {
      await step();
    } catch (error) {
      note(`Could not take away ${name}: ${error instanceof Error ? error.message : error}`);
      process.exitCode = 1;
    }
  }
}
