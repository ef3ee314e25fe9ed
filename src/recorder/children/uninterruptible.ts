import { readdirSync, readFileSync } from 'node:fs';

/**
 * Whether the kernel holds a process of this group in uninterruptible sleep, as it does while a disk doesn't answer; on
 * such a process even SIGKILL waits. One that merely gets no processor is runnable. True where there is no /proc to ask.
 */
export function heldByKernel(processGroup: number): boolean {
  let entries: string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return true;
  }
  return entries.some((entry) => /^\d+$/.test(entry) && isHeld(entry, processGroup));
}

function isHeld(pid: string, processGroup: number): boolean {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // It has ended since it was listed.
    return false;
  }
  // The name comes first, in brackets, and may hold any character: state, parent and group follow its last bracket.
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'D' && Number(group) === processGroup;
}
