import { expect } from 'chai';
import { describe, it } from 'mocha';
import { generatedFiles } from '../../../scripts/generated-files.js';
import { allKinds, fieldsPage, parseReasons, reasonsPage } from '../../../src/crds/generate/index.js';
import { reasons } from '../../../src/crds/index.js';

describe('the page of reasons', () => {
  it('names every reason of the enumeration', () => {
    const page = generatedFiles().get('docs/reference/reasons.md') ?? '';
    for (const reason of Object.values(reasons)) expect(page).to.contain(`| \`${reason}\` | `);
  });

  it('takes the meaning from the comment above the reason', () => {
    const source = "  // --- disks\n  /** All is lost. */\n  Lost: 'Lost',\n";
    expect(parseReasons(source)).to.deep.equal([{ name: 'Lost', meaning: 'All is lost.', section: 'disks' }]);
    expect(reasonsPage(parseReasons(source))).to.contain(
      '## disks\n\n| reason | meaning |\n|---|---|\n| `Lost` | All is lost. |',
    );
  });

  it('can not be made when a reason has no meaning', () => {
    expect(() => parseReasons("  /** One. */\n  A: 'A',\n  B: 'B',\n")).to.throw(
      'reason B has no one-line doc comment',
    );
  });
});

describe('the page of fields', () => {
  it('shows type, limits and default of a field', () => {
    expect(fieldsPage(allKinds)).to.contain('| `failoverTimeoutSeconds` | integer | 3 to 3600 | `30` |');
  });
});
