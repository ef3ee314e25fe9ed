import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allKinds, crdManifest, crdYaml, fieldsPage, parseReasons, reasonsPage } from '../src/crds/generate/index.js';
import { chartCrd, chartCrdFolder } from './chart-crds.js';
import { chartPolicies, chartPolicyFolder, plainPolicies, policyFolder } from './chart-policies.js';

/** Root of the repository. */
export const root = join(import.meta.dirname, '..');

/** Every generated file by its path below the repository's root. The same sources always yield the same bytes. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const kind of allKinds) {
    const crd = crdYaml(crdManifest(kind));
    files.set(`deploy/crds/${kind.plural}.yaml`, crd);
    files.set(`${chartCrdFolder}/${kind.plural}.yaml`, chartCrd(crd));
  }
  files.set(`${policyFolder}/backups.yaml`, plainPolicies());
  files.set(`${chartPolicyFolder}/backups.yaml`, chartPolicies());
  files.set('docs/reference/fields.md', fieldsPage(allKinds));
  const reasons = readFileSync(join(root, 'src/crds/reasons.ts'), 'utf8');
  files.set('docs/reference/reasons.md', reasonsPage(parseReasons(reasons)));
  return files;
}

/** Folders that hold generated files and nothing else; what is there beyond `generatedFiles` is left over. */
export const generatedFolders = ['deploy/crds', chartCrdFolder, policyFolder, chartPolicyFolder] as const;
