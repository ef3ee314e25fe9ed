import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

const CLIENT = '@kubernetes/client-node';
const insideClient = /[\\/]@kubernetes[\\/]client-node[\\/]/;
const insideShell = /[\\/]@dot-i[\\/]k8s-operator[\\/]/;
const marker = { resolvedByLeanClientNode: true };

/**
 * Keeps the thousand generated model classes of client-node out of what is evaluated at start. The package does not
 * declare itself free of side effects (its one side effect is a polyfill for Node 18), so bundlers keep all of it; and
 * the process shell loads it by require(), which keeps every export. Both are narrowed to what is named in the code.
 */
export function leanClientNode(): Plugin {
  return {
    name: 'lean-client-node',
    setup(build) {
      build.onResolve({ filter: /^@kubernetes\/client-node$/ }, async (args) => {
        if (args.pluginData === marker) return undefined;
        if (args.kind === 'require-call' && insideShell.test(args.importer)) {
          return { path: args.importer, namespace: 'client-node-for-shell' };
        }
        const { importer, kind, resolveDir } = args;
        const resolved = await build.resolve(args.path, { importer, kind, resolveDir, pluginData: marker });
        return resolved.errors.length > 0 ? resolved : { path: resolved.path, sideEffects: false };
      });
      // An ES module names its neighbours in full, so there is nothing to search for.
      build.onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ importer, resolveDir, path }) =>
        insideClient.test(importer) ? { path: resolve(resolveDir, path), sideEffects: false } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: 'client-node-for-shell' }, async (args) => ({
        contents: `export { ${(await namesUsed(args.path)).join(', ')} } from '${CLIENT}';`,
        resolveDir: dirname(args.path),
      }));
    },
  };
}

/** Names that a CommonJS file takes from client-node: property reads of the variables that hold require()'s result. */
async function namesUsed(file: string): Promise<string[]> {
  const source = await readFile(file, 'utf8');
  const holders = [...source.matchAll(/const (\w+) = (?:__importStar\()?require\("@kubernetes\/client-node"\)/g)].map(
    (match) => match[1],
  );
  if (holders.length === 0)
    throw new Error(`${file} no longer requires ${CLIENT} the way scripts/lean-client-node.ts expects`);
  const reads = new RegExp(`(?<![\\w.'"])(?:${holders.join('|')})\\.([A-Za-z_]\\w*)`, 'g');
  return [...new Set([...source.matchAll(reads)].map((match) => match[1] ?? ''))].sort();
}
