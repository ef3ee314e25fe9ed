import { ensureBinaries } from '../../test/cluster/binaries.js';
import { ensurePackages, type Need } from '../../test/cluster/packages.js';
import { controlPlaneTools, nodeTools, veleroTools } from '../../test/cluster/tool-catalog.js';
import { buildImage } from '../../test/image/build.js';

type Progress = (line: string) => void;

/** One level of tests: what it needs and how long one test of it may take. */
export interface Level {
  readonly name: 'unit' | 'media' | 'store' | 'api' | 'chaos' | 'e2e';
  /** Spec files, as mocha takes them. */
  readonly files: string;
  /** Longest time for one test or hook, in milliseconds. */
  readonly timeoutMs: number;
  /** Debian packages that are installed when they are missing. */
  readonly needs: readonly Need[];
  /** Builds what takes minutes the first time: no test's time limit should have to allow for that. */
  prepare(onProgress: Progress): Promise<void>;
  /** It computes and hardly waits: it can run beside one that waits and hardly computes, at the lowest priority. */
  readonly onlyComputes: boolean;
  /** One sentence when this machine can't run the level; undefined when it can. */
  unfit(): string | undefined;
}

const always = (): undefined => undefined;
const nothing = (): Promise<void> => Promise.resolve();

async function prepareControlPlane(onProgress: Progress): Promise<void> {
  const ownCluster = process.env.UNDERSTUDY_TEST_KUBECONFIG ?? process.env.UNDERSTUDY_TEST_CONTEXT;
  if (ownCluster) {
    await ensureBinaries(['kubectl', 'helm'], onProgress);
    return;
  }
  await ensurePackages(false, onProgress);
  await ensureBinaries([...controlPlaneTools, 'helm'], onProgress);
}

async function prepareNodes(onProgress: Progress): Promise<void> {
  await ensurePackages(true, onProgress);
  await ensureBinaries([...controlPlaneTools, ...nodeTools, 'helm'], onProgress);
  await buildImage({ onProgress });
}

const mediaNeeds: readonly Need[] = [
  { command: 'ffmpeg', package: 'ffmpeg', why: 'makes the pictures of the cameras, and records them' },
  { command: 'xfs_io', package: 'xfsprogs', why: 'kills disks, as a power cut does' },
  { command: 'mkfs.ext4', package: 'e2fsprogs', why: 'makes the disks' },
];

/** Real nodes need network namespaces, mounts and loop devices. */
function needsRootOnLinux(): string | undefined {
  if (process.platform !== 'linux') return `real nodes need Linux, this is ${process.platform}`;
  return process.getuid?.() === 0 ? undefined : 'real nodes need root (network namespaces, mounts); run it with sudo';
}

/** In the order in which they run: those first of which the others are made. */
export const levels: readonly Level[] = [
  // Real ffmpeg, cameras and disks around the recorder, without a cluster.
  {
    name: 'media',
    files: 'test/media/**/*.test.ts',
    timeoutMs: 60_000,
    onlyComputes: false,
    needs: mediaNeeds,
    prepare: nothing,
    unfit: always,
  },
  // The engines that keep baselines elsewhere, on the real servers, without a cluster.
  {
    name: 'store',
    files: 'test/store/**/*.test.ts',
    timeoutMs: 60_000,
    onlyComputes: false,
    needs: [],
    prepare: async (onProgress) => {
      await ensureBinaries(['versitygw'], onProgress);
    },
    unfit: always,
  },
  // Beside the one that waits longest.
  {
    name: 'unit',
    files: 'test/unit/**/*.test.ts',
    // A guard against hanging: at the lowest priority a test of milliseconds may have to wait.
    timeoutMs: 60_000,
    onlyComputes: true,
    needs: [],
    prepare: nothing,
    unfit: always,
  },
  {
    name: 'api',
    files: 'test/api/**/*.test.ts',
    timeoutMs: 60_000,
    onlyComputes: false,
    needs: [],
    prepare: async (onProgress) => {
      await prepareControlPlane(onProgress);
      await ensureBinaries(veleroTools, onProgress);
    },
    unfit: always,
  },
  // A choice of the cases of `npm run chaos`, the same each time.
  {
    name: 'chaos',
    files: 'test/chaos/**/*.test.ts',
    timeoutMs: 600_000,
    onlyComputes: false,
    needs: [],
    prepare: prepareControlPlane,
    unfit: always,
  },
  {
    name: 'e2e',
    files: 'test/e2e/**/*.test.ts',
    timeoutMs: 600_000,
    onlyComputes: false,
    needs: [],
    prepare: prepareNodes,
    unfit: needsRootOnLinux,
  },
];

/** A level, and those that run beside it at the lowest priority. */
export interface Turn {
  readonly level: Level;
  readonly beside: readonly Level[];
}

/** Who runs when: those that only compute run beside the next one that does not, if there is one. */
export function turnsOf(levels: readonly Level[]): Turn[] {
  const turns: Turn[] = [];
  const beside: Level[] = [];
  for (const level of levels) {
    if (level.onlyComputes) beside.push(level);
    else turns.push({ level, beside: beside.splice(0) });
  }
  return [...turns, ...beside.map((level) => ({ level, beside: [] }))];
}

export interface Request {
  readonly levels: readonly Level[];
  /** Handed on to mocha. */
  readonly mochaArguments: readonly string[];
}

/** `[level ...] [-- mocha arguments]`; npm eats one `--`, so files and options before any `--` belong to mocha, too. */
export function parseArguments(argv: readonly string[]): Request {
  const separator = argv.indexOf('--');
  const ours = separator < 0 ? argv : argv.slice(0, separator);
  const firstOption = ours.findIndex((word) => word.startsWith('-') || word.endsWith('.test.ts'));
  const names = firstOption < 0 ? ours : ours.slice(0, firstOption);
  const mochaArguments = [
    ...(firstOption < 0 ? [] : ours.slice(firstOption)),
    ...(separator < 0 ? [] : argv.slice(separator + 1)),
  ];
  const unknown = names.filter((name) => !levels.some((level) => level.name === name));
  if (unknown.length > 0) {
    const known = levels.map((level) => level.name).join(', ');
    throw new Error(`there is no test level '${unknown.join("', '")}'; the levels are ${known}`);
  }
  return { levels: levels.filter((level) => names.length === 0 || names.includes(level.name)), mochaArguments };
}
