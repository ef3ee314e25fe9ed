/** Why a restore is refused before anything was changed; a script tells them apart by the exit code. */
export type RefusalKind =
  /** The baseline can't be used: cut off, damaged, foreign, or of another version. */
  | 'Artifact'
  /** The cluster would not take it: permission, schema, conflict, or objects that belong elsewhere. */
  | 'Cluster'
  /** A failover runs or waits in the pool: restored roles would cross it. */
  | 'FailoverRunning';

/** A restore that is refused. Nothing was changed. Each problem says what was wrong, where, and what to do. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused';
  readonly kind: RefusalKind;
  readonly problems: readonly string[];

  constructor(kind: RefusalKind, problems: readonly string[]) {
    super(problems.join('\n'));
    this.kind = kind;
    this.problems = problems;
  }
}

/** A restore that came to no end although nothing failed. Running it again finishes it. */
export class RestoreUnfinished extends Error {
  override readonly name = 'RestoreUnfinished';
}
