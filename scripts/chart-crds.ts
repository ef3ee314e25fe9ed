/** Folder of the chart's CRDs, below the repository's root. */
export const chartCrdFolder = 'deploy/helm/understudy/templates/crds';

/**
 * A generated CRD as a template of the Helm chart. Helm never upgrades what lies in a chart's `crds` folder, so they are
 * templates; and they are kept when the release is removed, because with a CRD go all its objects.
 */
export function chartCrd(crd: string): string {
  const metadata = /^metadata:\n/m;
  if (!metadata.test(crd)) throw new Error('A CRD without metadata: deploy/crds has changed its form');
  const escaped = crd.replaceAll(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`);
  const kept = escaped.replace(
    metadata,
    [
      'metadata:',
      '  annotations:',
      '    helm.sh/resource-policy: keep',
      '  labels:',
      '    {{- include "understudy.labels" . | nindent 4 }}',
      '',
    ].join('\n'),
  );
  return `{{- if .Values.crds.install }}\n${kept.trimEnd()}\n{{- end }}\n`;
}
