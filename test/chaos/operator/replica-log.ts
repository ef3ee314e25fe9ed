import { createLog, type Log } from '../../../src/operator/index.js';

interface Entry {
  readonly level: string;
  readonly msg: string;
  readonly err?: { readonly type?: string; readonly message?: string; readonly stack?: string };
}

/** What no fault from outside can cause: the program itself is wrong. */
const programErrors: ReadonlySet<string> = new Set([
  ...['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'AssertionError', 'ZodError', 'SchemaError'],
]);
const keptLines = 40;

/** The log of a replica: errors of the program itself are found in it, and the last warnings go with a violation. */
export class ReplicaLog {
  readonly log: Log;
  readonly programErrors: string[] = [];
  readonly warnings: string[] = [];

  constructor(replica: string) {
    this.log = createLog({ name: replica, level: 'warn', destination: { write: (line) => this.#take(replica, line) } });
  }

  #take(replica: string, line: string): void {
    const { level, msg, err } = JSON.parse(line) as Entry;
    this.warnings.push(`${replica} ${level}: ${msg}${err?.message ? `: ${err.message}` : ''}`);
    if (this.warnings.length > keptLines) this.warnings.shift();
    if (err?.type !== undefined && programErrors.has(err.type)) {
      const [, where = ''] = (err.stack ?? '').split('\n');
      this.programErrors.push(`${replica}: ${msg}: ${err.type}: ${err.message} ${where.trim()}`);
    }
  }
}
