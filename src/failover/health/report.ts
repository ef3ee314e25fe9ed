import type { RecorderReportStatus } from '../../crds/index.js';
import type { Signals } from '../types.js';

/** The report, if the present pod wrote it: another pod's word says nothing about this one. */
export function currentReport(signals: Pick<Signals, 'report' | 'pod'>): RecorderReportStatus | undefined {
  const { report, pod } = signals;
  return report !== undefined && pod !== undefined && report.podUID === pod.uid ? report : undefined;
}
