import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { chartCrd, chartCrdFolder } from '../../../scripts/chart-crds.js';

const root = join(import.meta.dirname, '../../..');

describe('the chart’s CRDs', () => {
  it('are those of deploy/crds, one for one', () => {
    const plain = readdirSync(join(root, 'deploy/crds')).sort();
    expect(readdirSync(join(root, chartCrdFolder)).sort()).to.deep.equal(plain);
    for (const file of plain) {
      const expected = chartCrd(readFileSync(join(root, 'deploy/crds', file), 'utf8'));
      expect(readFileSync(join(root, chartCrdFolder, file), 'utf8'), file).to.equal(expected);
    }
  });

  it('are kept when the release is removed, and can be left out', () => {
    const template = chartCrd('kind: CustomResourceDefinition\nmetadata:\n  name: a\nspec: {}\n');
    expect(template).to.contain('metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n');
    expect(template).to.match(/^\{\{- if \.Values\.crds\.install \}\}\n/);
    expect(template).to.match(/\n\{\{- end \}\}\n$/);
  });

  it('keep braces of a description from being read as a template', () => {
    const template = chartCrd('metadata:\n  name: a\nspec:\n  text: as in {{ name }}\n');
    expect(template).to.contain('text: as in {{ "{{" }} name {{ "}}" }}');
  });

  it('are refused when the generated form is another', () => {
    expect(() => chartCrd('kind: x\n')).to.throw('without metadata');
  });
});
