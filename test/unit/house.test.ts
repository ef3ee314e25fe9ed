import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '../..');
const source = join(root, 'src');

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const files = filesBelow(source);
const text = (file: string): string => readFileSync(join(root, file), 'utf8');

/** First folder below src; '' for an entry point, which composes and may see everything. */
function partOf(file: string): string {
  const parts = relative('src', file).split('/');
  return parts.length > 1 ? (parts[0] ?? '') : '';
}

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Part of ours that it leads to; undefined for a package. */
  readonly to: string | undefined;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const pattern = /^(?:import|export)\s+(type\s)?[^;]*?from '([^']+)';|^import '([^']+)';/gms;
  return [...text(file).matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? '';
    const target = specifier.startsWith('.') ? relative(root, resolve(root, dirname(file), specifier)) : undefined;
    const to = target === undefined ? undefined : partOf(target);
    return { from: file, specifier, to, typeOnly: match[1] !== undefined };
  });
}

const imports = files.flatMap(importsOf);

/** The design's dependency direction: what each part may use of the others. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  operator: [],
  crds: [],
  failover: ['crds'],
  backup: ['crds', 'operator'],
  recorder: ['crds', 'operator'],
  reconcilers: ['crds', 'failover', 'operator', 'backup'],
  // A person's tool: it writes specs, so nothing that runs by itself may use it.
  restore: ['crds', 'operator', 'failover', 'backup'],
  cli: ['crds', 'operator', 'failover', 'backup', 'restore'],
};

describe('the house', () => {
  it('finds the imports that it judges', () => {
    expect(imports.length).to.be.greaterThan(200);
    expect(imports.some(({ from, to }) => partOf(from) === 'reconcilers' && to === 'failover')).to.equal(true);
  });

  it('has no part without a rule', () => {
    const parts = new Set(files.map(partOf));
    parts.delete('');
    expect([...parts].filter((part) => !(part in allowed))).to.deep.equal([]);
  });

  for (const [part, uses] of Object.entries(allowed)) {
    it(`lets ${part} use ${uses.length === 0 ? 'nothing of ours' : uses.join(', ')} and no other part`, () => {
      const wrong = imports.filter(
        ({ from, to }) => partOf(from) === part && to !== undefined && to !== part && !uses.includes(to),
      );
      expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).to.deep.equal([]);
    });
  }

  it('keeps clients, files and clocks out of the rules', () => {
    const wrong = imports.filter(({ from, to }) => partOf(from) === 'failover' && to === undefined);
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).to.deep.equal([]);
    const impure = files.filter(
      (file) =>
        partOf(file) === 'failover' && /\b(Date\.now|performance\.now|Math\.random|new Date\(\))/.test(text(file)),
    );
    expect(impure).to.deep.equal([]);
  });

  it('builds the objects of a server without client, clock or randomness', () => {
    const builders = files.filter((file) => file.includes('recording-server/objects/'));
    expect(builders.length).to.be.greaterThan(7);
    const impure = builders.filter((file) =>
      /ApiClient|Date\.now|new Date\(|Math\.random|performance\./.test(text(file)),
    );
    expect(impure).to.deep.equal([]);
  });

  it('says nothing by names that say nothing', () => {
    // 'fieldManager' is the API server's own word.
    const empty =
      /\b(?:class|interface|type|function|const) (?!\w*(?:field|with)Manager)\w*(?:Manager|Helper|Utils?|Common)\b/;
    expect(files.filter((file) => /(?:manager|helper|utils?|common)[^/]*\.ts$/.test(file))).to.deep.equal([]);
    expect(files.filter((file) => empty.test(text(file)))).to.deep.equal([]);
  });

  it('names files in kebab-case', () => {
    expect(files.filter((file) => !/^[a-z0-9/.-]+$/.test(file))).to.deep.equal([]);
  });

  it('has no default exports', () => {
    expect(files.filter((file) => /^export default\b|\bas default\b/m.test(text(file)))).to.deep.equal([]);
  });

  it('needs no finalizers', () => {
    const wrong = files.filter((file) => /^\s*finalizers\s*:/m.test(text(file)));
    expect(wrong).to.deep.equal([]);
  });

  it('never writes the spec of a kind of ours', () => {
    // What people write belongs to Git: the reconcilers write children, and the status of our kinds.
    const kinds = 'recordingServers|failoverPools|cameraAssignments';
    const write = new RegExp(`\\.(?:create|patch|apply|replace)\\((?:${kinds})\\b`);
    expect(files.filter((file) => write.test(text(file)))).to.deep.equal([]);
  });

  it('lets nothing restore that runs by itself: a restore writes specs, and is a tool of a person', () => {
    const users = imports.filter(({ to }) => to === 'restore').map(({ from }) => partOf(from));
    expect([...new Set(users)].sort()).to.deep.equal(['cli', 'restore']);
  });
});
