import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { parseAllDocuments } from 'yaml';
import { chartPolicies, chartPolicyFolder, plainPolicies, policyFolder } from '../../../scripts/chart-policies.js';
import { moveCauses } from '../../../src/crds/index.js';

const root = join(import.meta.dirname, '../../..');

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly policyName?: string;
    readonly failurePolicy?: string;
    readonly paramRef?: unknown;
    readonly matchConditions?: readonly { readonly expression: string }[];
    readonly validations?: readonly { readonly expression: string; readonly messageExpression?: string }[];
    readonly validationActions?: readonly string[];
  };
}

const documents = parseAllDocuments(plainPolicies()).map((one) => one.toJS() as Document);
const policy = (name: string) =>
  documents.find(({ kind, metadata }) => !kind.endsWith('Binding') && metadata.name === name);

describe('the admission policies of Backups', () => {
  it('are two, each bound and enforced', () => {
    const policies = documents.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
    const bindings = documents.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding');
    expect(policies.map(({ metadata }) => metadata.name)).to.deep.equal([
      'understudy-backup-reasons',
      'understudy-backups-during-failovers',
    ]);
    expect(bindings.map(({ spec }) => spec.policyName)).to.deep.equal(policies.map(({ metadata }) => metadata.name));
    for (const { spec } of bindings) expect(spec.validationActions).to.deep.equal(['Deny']);
  });

  it('never stand in the way of the operator: one asks for its account first, the other not for its reasons', () => {
    const reasons = policy('understudy-backup-reasons');
    expect(reasons?.spec.validations?.[0]?.expression).to.match(
      /^request\.userInfo\.username == 'system:serviceaccount:understudy:understudy' \|\| /,
    );
    // Without a parameter nothing can be missing that would refuse everybody.
    expect(reasons?.spec).to.not.have.property('paramKind');
    const during = policy('understudy-backups-during-failovers');
    expect(during?.spec.failurePolicy).to.equal('Ignore');
    expect(during?.spec.matchConditions?.[0]?.expression).to.contain("object.spec.reason == 'Manual'");
    const binding = documents.find(({ spec }) => spec.policyName === 'understudy-backups-during-failovers');
    expect(binding?.spec.paramRef).to.deep.equal({ selector: {}, parameterNotFoundAction: 'Allow' });
  });

  it('tell every planned move from a failover', () => {
    const sentence = policy('understudy-backups-during-failovers')?.spec.validations?.[0]?.messageExpression ?? '';
    for (const cause of moveCauses) expect(sentence).to.contain(`'${cause}'`);
  });

  it('are the same in the chart, but for names, account, labels and namespaces', () => {
    const plain = chartPolicies()
      .replace(/^\{\{- if .*\n\{\{- \/\*.*\n\{\{- \$prefix.*\n\{\{- \$operator.*\n/, '')
      .replace(/\n\{\{- end \}\}\n$/, '\n')
      .replaceAll(/ {2}labels:\n {4}\{\{- include .*\n/g, '')
      .replaceAll(/ {2}\{\{- with \$\.Values\.watchNamespaces \}\}\n(?:.*\n)*? {2}\{\{- end \}\}\n/g, '')
      .replaceAll('{{ $prefix }}', 'understudy')
      .replaceAll('{{ $operator }}', 'system:serviceaccount:understudy:understudy');
    expect(plain).to.not.contain('{{');
    expect(parseAllDocuments(plain).map((one) => one.toJS())).to.deep.equal(documents);
  });

  it('lie where people look for them', () => {
    expect(readFileSync(join(root, policyFolder, 'backups.yaml'), 'utf8')).to.equal(plainPolicies());
    expect(readFileSync(join(root, chartPolicyFolder, 'backups.yaml'), 'utf8')).to.equal(chartPolicies());
  });
});
