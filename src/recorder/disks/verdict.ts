import type { ReportedVolume } from '../../crds/recorder-report.js';

/** What is true of a volume now. */
export type VolumeState = ReportedVolume['state'];

/** A judgement with the words that led to it. */
export interface Verdict {
  readonly state: VolumeState;
  readonly message: string;
}

// The C library's texts, as coreutils print them with LC_ALL=C.
const LOST_TEXTS = [
  'Input/output error', // EIO
  'Read-only file system', // EROFS: the kernel remounts a failing disk so, with mount options that still say rw
  'Stale file handle', // ESTALE
  'No such device', // ENODEV, and ENXIO's "No such device or address"
  'Transport endpoint is not connected', // ENOTCONN: a dead FUSE server
  'Structure needs cleaning', // EUCLEAN
  'Remote I/O error',
  'Host is down',
  'Connection timed out',
];
const FULL_TEXTS = ['No space left on device', 'Disk quota exceeded'];
const FORBIDDEN_TEXTS = ['Permission denied', 'Operation not permitted'];

/** Judges by the words of a failed child (rule 9b): dead disks are lost, full and forbidden ones are not. */
export function verdictOfError(stderr: string): Verdict {
  const message = lastLine(stderr);
  if (LOST_TEXTS.some((text) => stderr.includes(text))) return { state: 'Lost', message };
  if (FULL_TEXTS.some((text) => stderr.includes(text))) {
    return { state: 'Full', message: `${message}; delete foreign files, or give the volume more space` };
  }
  if (FORBIDDEN_TEXTS.some((text) => stderr.includes(text))) {
    return { state: 'Misconfigured', message: `${message}; let the volume belong to the recorder's group (fsGroup)` };
  }
  return { state: 'Lost', message: message === '' ? 'the probe ended without a word' : message };
}

function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 300);
}
