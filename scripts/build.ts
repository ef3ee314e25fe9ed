// Bundles the two entry points of the image: `npm run build` writes dist/operator.js and dist/recorder.js.
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { leanClientNode } from './lean-client-node.js';

const root = resolve(import.meta.dirname, '..');

/** What is bundled: name of the file in dist -> its entry point. The image runs `node /app/<name>.js`. */
export const entryPoints: Readonly<Record<string, string>> = {
  operator: resolve(root, 'src/operator-main.ts'),
  recorder: resolve(root, 'src/recorder-main.ts'),
};

export interface BundleOptions {
  /** Name of the output file without `.js` -> path of the entry point. */
  readonly entryPoints: Readonly<Record<string, string>>;
  /** Folder to write to; emptied first. */
  readonly outdir: string;
}

/** Some dependencies are CommonJS and call require() for Node's own modules, which an ES module does not have. */
const banner =
  "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);";

/** Bundles each entry point with all of its dependencies into one ES module; throws with esbuild's messages on errors. */
export async function bundle(options: BundleOptions): Promise<{ readonly file: string; readonly bytes: number }[]> {
  await rm(options.outdir, { recursive: true, force: true });
  const result = await build({
    entryPoints: { ...options.entryPoints },
    outdir: options.outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22.20',
    // Identifiers stay, so that a stack trace without source maps still names the functions. White space and dead
    // code go: one third less to read at start.
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'linked',
    banner: { js: banner },
    plugins: [leanClientNode(), ownModulesWithoutSideEffects()],
    metafile: true,
    logLevel: 'warning',
  });
  return Object.entries(result.metafile.outputs)
    .filter(([file]) => file.endsWith('.js'))
    .map(([file, output]) => ({ file, bytes: output.bytes }));
}

/**
 * A module of ours that nothing is used of stays out, with all that it imports: else the recorder would carry the
 * operator's process shell, because one index re-exports both. An `import './x.js'` for its effects makes esbuild warn.
 */
function ownModulesWithoutSideEffects(): Plugin {
  return {
    name: 'own-modules-without-side-effects',
    setup(builder) {
      builder.onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ importer, resolveDir, path }) =>
        importer.endsWith('.ts') && !importer.includes('node_modules')
          ? { path: resolve(resolveDir, path.replace(/\.js$/, '.ts')), sideEffects: false }
          : undefined,
      );
    },
  };
}

if (import.meta.main) {
  const written = await bundle({ entryPoints, outdir: resolve(root, 'dist') });
  for (const { file, bytes } of written) console.log(`${file}  ${(bytes / 1024).toFixed(0)} KiB`);
}
