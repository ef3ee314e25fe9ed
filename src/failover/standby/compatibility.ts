import { type FailoverPoolSpec, type Reason, type RecorderReportStatus, reasons } from '../../crds/index.js';
import type { ServerView } from '../types.js';

/** Why a standby does not fit a role (rule 4). */
export interface Misfit {
  readonly reason: Reason;
  readonly message: string;
}

type VersionRule = FailoverPoolSpec['compatibility']['version'];

function mountPaths(server: ServerView): string[] {
  return server.spec.volumes.map((volume) => volume.mountPath).sort();
}

/** The report of the present pod; another pod may have had another image. */
function ownReport(server: ServerView): RecorderReportStatus | undefined {
  return server.podUID !== undefined && server.report?.podUID === server.podUID ? server.report : undefined;
}

/** Rule 4, "drive letters": a role's footage lies under the same paths on every server that serves it. */
function mountPathsFit(home: ServerView, standby: ServerView): Misfit | undefined {
  const [wanted, found] = [mountPaths(home).join(', '), mountPaths(standby).join(', ')];
  if (wanted === found) return undefined;
  return { reason: reasons.MountPathsDiffer, message: `it mounts ${found}, and ${home.name} mounts ${wanted}` };
}

/** Nothing is known of what it mounts and runs before its agent has said so. */
function hasReported(standby: ServerView): Misfit | undefined {
  const report = ownReport(standby);
  if (report?.version !== undefined && report.volumes !== undefined) return undefined;
  return { reason: reasons.NotReported, message: 'its recorder has not reported what it mounts and runs yet' };
}

/** Rule 4, "file system": compared per mount path, as far as the home's recorder has ever reported it. */
function fileSystemsFit(home: ServerView, standby: ServerView): Misfit | undefined {
  for (const wanted of home.report?.volumes ?? []) {
    const found = ownReport(standby)?.volumes?.find((volume) => volume.mountPath === wanted.mountPath)?.fileSystem;
    if (wanted.fileSystem === undefined || found === undefined || found === wanted.fileSystem) continue;
    const message = `${wanted.mountPath} is ${found}, and ${wanted.fileSystem} on ${home.name}`;
    return { reason: reasons.FileSystemDiffers, message };
  }
  return undefined;
}

function minorOf(version: string): string {
  return /^v?(\d+\.\d+)(\.|$)/.exec(version)?.[1] ?? version;
}

function sameVersion(rule: VersionRule, a: string, b: string): boolean {
  if (rule === 'Any' || a === b) return true;
  return rule === 'SameMinor' && minorOf(a) === minorOf(b);
}

/** Rule 4, "version": as far as compatibility.version asks for it. */
function versionsFit(rule: VersionRule, home: ServerView, standby: ServerView): Misfit | undefined {
  const wanted = home.report?.version;
  const found = ownReport(standby)?.version;
  if (wanted === undefined || found === undefined || sameVersion(rule, wanted, found)) return undefined;
  const message = `it runs ${found} and ${home.name} ${wanted}; compatibility.version is ${rule}`;
  return { reason: reasons.VersionDiffers, message };
}

/**
 * Rule 4: whether a standby can serve what `model` served: the role's home, or whoever is left that has served it.
 * Without a model (all of them were deleted) only the standby's own report is asked for: footage goes first.
 */
export function misfit(rule: VersionRule, model: ServerView | undefined, standby: ServerView): Misfit | undefined {
  if (model === undefined) return hasReported(standby);
  return (
    mountPathsFit(model, standby) ??
    hasReported(standby) ??
    fileSystemsFit(model, standby) ??
    versionsFit(rule, model, standby)
  );
}
