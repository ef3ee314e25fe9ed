import type { ChildProcess } from 'node:child_process';

/** Ctrl-C during a run of tests. */
export interface Interruption {
  interrupted(): boolean;
  /** From now on signals are handed on to the process too; call what it gives when the process has ended. */
  guard(child: ChildProcess): () => void;
}

/** Hands Ctrl-C on and waits: the tests clean up, and the closing line still comes. */
export function watchForInterruption(): Interruption {
  const children = new Set<ChildProcess>();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = true;
      for (const child of children) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
  return {
    interrupted: () => interrupted,
    guard(child) {
      children.add(child);
      return () => children.delete(child);
    },
  };
}
