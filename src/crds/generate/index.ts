export { backupPoliciesYaml, type PolicyNames } from './backup-policies.js';
export { fieldsPage } from './fields-page.js';
export { SchemaError, type SchemaNode, schemaFromZod } from './from-zod.js';
export { allKinds } from './kinds.js';
export { CATEGORY, type CustomResourceDefinition, crdManifest, rootSchema } from './manifest.js';
export { parseReasons, type ReasonEntry, reasonsPage } from './reasons-page.js';
export { structuralProblems } from './structural.js';
export { crdYaml } from './yaml.js';
