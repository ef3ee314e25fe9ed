/** A fault that is there, and what takes it away again. */
export interface Fault {
  /** Resolves when the fault is gone; what it has broken may take longer. */
  heal(): Promise<void>;
}
