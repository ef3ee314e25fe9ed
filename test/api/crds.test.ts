import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { parseAllDocuments } from 'yaml';
import { allKinds, rootSchema, type SchemaNode } from '../../src/crds/generate/index.js';
import { API_VERSION, GROUP, type KindDefinition, VERSION } from '../../src/crds/index.js';
import { installCrds, testNamespace, useApiCluster } from '../support/api-cluster.js';
import { type Example, fullExamples, leastExamples } from './crds/examples.js';
import { type Attempt, attempts, fieldOf, withAttempt } from './crds/limits.js';
import { changeMessages, freshWrites, ruleCases, staleWrites } from './crds/rules.js';
import { type Answer, openRawApi, type RawApi } from './support/raw-api.js';

const samples = join(import.meta.dirname, '../../deploy/samples');

interface Stored {
  spec: Record<string, unknown>;
  status?: Record<string, unknown>;
}

interface List {
  items: { metadata: { name: string } }[];
}

/** Limits that another rule forbids to reach alone. */
const notAlone = new Set([
  ...['Backup spec.reason Manual', 'Backup spec.reason Scheduled'],
  'FailoverPool spec.backup.engine Velero',
]);

function exampleOf(examples: Record<string, Example>, kind: string): Example {
  const found = examples[kind];
  if (!found) throw new Error(`there is no example of kind ${kind}`);
  return structuredClone(found);
}

function rulesOf(node: SchemaNode): string[] {
  const children = [...Object.values(node.properties ?? {}), ...(node.items ? [node.items] : [])];
  return [...(node['x-kubernetes-validations'] ?? []).map((rule) => rule.message), ...children.flatMap(rulesOf)];
}

function kindOf(name: string): KindDefinition {
  const found = allKinds.find((kind) => kind.kind === name);
  if (!found) throw new Error(`there is no kind ${name}`);
  return found;
}

describe('the kinds on a real API server', () => {
  const api = useApiCluster();
  let raw: RawApi;
  let namespace: string;

  const pathOf = (kind: string): string => `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${kindOf(kind).plural}`;
  const create = (object: Example, query = ''): Promise<Answer<Stored>> =>
    raw.call<Stored>('POST', `${pathOf(object.kind)}?fieldValidation=Strict${query}`, object);
  const tryCreate = (object: Example): Promise<Answer<Stored>> => create(object, '&dryRun=All');
  const patchStatus = (kind: string, name: string, patch: unknown, dryRun = false): Promise<Answer<Stored>> =>
    raw.call<Stored>('PATCH', `${pathOf(kind)}/${name}/status${dryRun ? '?dryRun=All' : ''}`, patch);

  before(async () => {
    await installCrds(api.cluster);
    namespace = await testNamespace('crds');
    raw = openRawApi(api.cluster.kubeconfigPath);
  });
  after(() => raw?.close());

  for (const kind of allKinds) {
    describe(kind.kind, () => {
      const full = exampleOf(fullExamples, kind.kind);
      const least = exampleOf(leastExamples, kind.kind);
      const schema = rootSchema(kind);

      it('is established with its names, and is structural', async () => {
        const crd = await raw.call<{ status: { conditions: { type: string; status: string }[] } }>(
          'GET',
          `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kind.plural}.${GROUP}`,
        );
        const conditions = Object.fromEntries(crd.body.status.conditions.map(({ type, status }) => [type, status]));
        expect(conditions).to.deep.equal({ NamesAccepted: 'True', Established: 'True' });
      });

      it('is served under its short name and the category', async () => {
        const discovery = await raw.call<{
          resources: { name: string; shortNames?: string[]; categories?: string[] }[];
        }>('GET', `/apis/${GROUP}/${VERSION}`);
        const entry = discovery.body.resources.find((resource) => resource.name === kind.plural);
        expect(entry?.shortNames).to.deep.equal(kind.shortNames);
        expect(entry?.categories).to.deep.equal(['understudy']);
      });

      it('takes an object with every field set', async () => {
        expect((await create(full)).message).to.equal('');
        const answer = await patchStatus(kind.kind, full.metadata.name, { status: full.status });
        expect(answer.message).to.equal('');
        expect(answer.body.status).to.deep.equal(full.status);
        if (full.spec) expect(answer.body.spec).to.deep.equal(full.spec);
      });

      it('takes the least that a person has to write', async () => {
        expect((await create(least)).message).to.equal('');
      });

      it('refuses an unknown field by its path when asked to be strict', async () => {
        const part = full.spec ? 'spec' : 'status';
        const typo = { ...least, [part]: { ...(least[part] ?? {}), typo: 1 } };
        const answer = await tryCreate(typo as Example);
        expect(answer.status).to.equal(400);
        expect(answer.message).to.contain(`unknown field "${part}.typo"`);
      });

      it('shows its columns', async () => {
        const table = await raw.call<{
          columnDefinitions: { name: string; priority: number }[];
          rows: { cells: unknown[] }[];
        }>('GET', `${pathOf(kind.kind)}?fieldSelector=metadata.name=${full.metadata.name}`, undefined, {
          accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
        });
        const names = table.body.columnDefinitions.map((column) => column.name);
        expect(names).to.deep.equal(['Name', ...kind.columns.map((column) => column.name)]);
        const cells = table.body.rows[0]?.cells ?? [];
        // Every column but those of conditions that the example lacks shows something.
        const empty = kind.columns.filter(
          (column, i) => !cells[i + 1] && cells[i + 1] !== 0 && !column.jsonPath.includes('?('),
        );
        expect(empty.map((column) => column.name)).to.deep.equal([]);
      });

      for (const field of kind.selectableFields) {
        it(`selects by ${field}`, async () => {
          const value = field
            .split('.')
            .slice(1)
            .reduce<unknown>((node, name) => (node as Record<string, unknown>)?.[name], full);
          const select = async (wanted: string): Promise<string[]> => {
            const selector = encodeURIComponent(`${field.slice(1)}=${wanted}`);
            const answer = await raw.call<List>('GET', `${pathOf(kind.kind)}?fieldSelector=${selector}`);
            expect(answer.message).to.equal('');
            return answer.body.items.map((item) => item.metadata.name);
          };
          expect(await select(String(value))).to.include(full.metadata.name);
          expect(await select('nothing')).to.deep.equal([]);
        });
      }

      const trials = (part: 'spec' | 'status'): Attempt[] =>
        attempts(schema.properties?.[part] ?? {}, full[part] ?? {}, [part]).filter(
          (attempt) => !notAlone.has(`${kind.kind} ${fieldOf(attempt.path)} ${attempt.what}`),
        );
      const attemptSpec = (attempt: Attempt): Promise<Answer<Stored>> =>
        tryCreate({ ...withAttempt(full, attempt), metadata: { name: 'attempt' } });
      const attemptStatus = (attempt: Attempt): Promise<Answer<Stored>> =>
        patchStatus(kind.kind, 'least', { status: withAttempt(full, attempt).status }, true);

      for (const part of ['spec', 'status'] as const) {
        if (!schema.properties?.[part] || !full[part]) continue;
        const send = part === 'spec' ? attemptSpec : attemptStatus;

        it(`refuses each ${part} field beyond its limits and names it`, async () => {
          for (const attempt of trials(part).filter((one) => !one.allowed)) {
            const answer = await send(attempt);
            const what = `${fieldOf(attempt.path)} ${attempt.what}`;
            expect(answer.status, what).to.equal(422);
            expect(answer.message, what).to.contain(fieldOf(attempt.path));
          }
        });

        it(`takes each ${part} field at its limits`, async () => {
          for (const attempt of trials(part).filter((one) => one.allowed)) {
            expect((await send(attempt)).message, `${fieldOf(attempt.path)} ${attempt.what}`).to.equal('');
          }
        });
      }
    });
  }

  describe('rules', () => {
    for (const { kind, what, refused, message, accepted } of ruleCases) {
      it(`${kind} refuses ${what}, and takes the mended one`, async () => {
        const answer = await tryCreate(refused);
        expect(answer.status).to.equal(422);
        expect(answer.message).to.contain(message);
        expect((await tryCreate(accepted)).message).to.equal('');
      });
    }

    it('all have an example here', () => {
      const shown = [...ruleCases.map((one) => one.message), ...changeMessages];
      for (const kind of allKinds) expect(shown, kind.kind).to.include.members(rulesOf(rootSchema(kind)));
    });

    it('keep the spec of a Backup as it is', async () => {
      const path = `${pathOf('Backup')}/${exampleOf(fullExamples, 'Backup').metadata.name}`;
      const answer = await raw.call('PATCH', path, { spec: { poolRef: { name: 'other' } } });
      expect(answer.status).to.equal(422);
      expect(answer.message).to.contain('spec of a Backup is immutable; create another Backup instead');
      expect((await raw.call('PATCH', path, { metadata: { labels: { a: 'b' } } })).status).to.equal(200);
    });
  });

  describe('epochs', () => {
    for (const { kind, what, patch, message } of staleWrites) {
      it(`${kind}: ${what} is refused`, async () => {
        const answer = await patchStatus(kind, exampleOf(fullExamples, kind).metadata.name, patch);
        expect(answer.status).to.equal(422);
        expect(answer.message).to.contain(message);
      });
    }

    for (const { kind, what, patch } of freshWrites) {
      it(`${kind}: ${what} is taken`, async () => {
        expect((await patchStatus(kind, exampleOf(fullExamples, kind).metadata.name, patch, true)).message).to.equal(
          '',
        );
      });
    }

    it('of a camera start anew when it moves to another role', async () => {
      const boundTo = { role: 'recorder-b', server: 'recorder-b', epoch: 1 };
      const name = exampleOf(fullExamples, 'CameraAssignment').metadata.name;
      expect((await patchStatus('CameraAssignment', name, { status: { boundTo } }, true)).message).to.equal('');
    });
  });

  describe('defaults', () => {
    const expected: Record<string, Record<string, unknown>> = {
      RecordingServer: {
        type: 'Standard',
        standbyOrder: 100,
        operatingMode: 'Normal',
        recorder: { engine: 'ffmpeg' },
        updateStrategy: 'OnDelete',
        volumes: [{ name: 'a', mountPath: '/footage/a', claimName: 'disk-a' }],
      },
      FailoverPool: {
        failoverTimeoutSeconds: 30,
        storageGraceSeconds: 5,
        recordingServiceGraceSeconds: 30,
        startGraceSeconds: 120,
        restartGraceSeconds: 60,
        storm: { maxUnreachablePercent: 50, holdSeconds: 60 },
        moveOnCordon: true,
        failback: { mode: 'None', stableSeconds: 300 },
        compatibility: { version: 'SameMinor' },
        backup: { engine: 'Secret', deadlineSeconds: 20, retrySeconds: 3600, retain: { count: 10, days: 30 } },
        cameras: { failoverWhenUnreachable: false, graceSeconds: 60, writeKilobytesPerSecond: 1000 },
        paused: false,
      },
      CameraAssignment: {
        serverRef: { name: 'recorder-a' },
        source: {
          type: 'IP',
          url: 'rtsp://camera.example/stream1',
          transport: 'TCP',
          connectTimeoutSeconds: 5,
          audio: false,
        },
        recording: { mode: 'Continuous', segmentSeconds: 10, retentionSeconds: 604800 },
        priority: 'Normal',
      },
      Backup: { poolRef: { name: 'site' }, reason: 'Manual' },
    };
    for (const [kind, spec] of Object.entries(expected)) {
      it(`${kind} has all of them without being asked`, async () => {
        const answer = await raw.call<Stored>('GET', `${pathOf(kind)}/least`);
        expect(answer.body.spec).to.deep.equal(spec);
      });
    }

    it('reach into optional parts that are given in part', async () => {
      const base = exampleOf(leastExamples, 'RecordingServer');
      const spec = { ...base.spec, serviceTemplate: {}, plugins: [{ name: 'plates' }] };
      const answer = await tryCreate({ ...base, metadata: { name: 'part' }, spec });
      expect(answer.body.spec).to.deep.include({
        serviceTemplate: { type: 'ClusterIP' },
        plugins: [{ name: 'plates', carryOver: 'Manual' }],
      });
    });
  });

  describe('samples', () => {
    it('are taken as they are', async () => {
      for (const file of readdirSync(samples).sort()) {
        const documents = parseAllDocuments(readFileSync(join(samples, file), 'utf8'));
        const objects = documents.map((document) => document.toJS() as Example);
        const ours = objects.filter((object) => object.apiVersion === API_VERSION);
        expect(ours, file).not.to.deep.equal([]);
        for (const { apiVersion, kind, metadata, spec } of ours) {
          const sample = { apiVersion, kind, metadata: { name: `${metadata.name}-sample` }, ...(spec ? { spec } : {}) };
          expect((await tryCreate(sample)).message, `${file}: ${metadata.name}`).to.equal('');
        }
      }
    });
  });

  // Within a describe of its own: mocha runs the tests of a suite before those of the suites within it.
  describe('kubectl', () => {
    it('finds them by short name and by category', async () => {
      await api.cluster.kubectl(['-n', namespace, 'get', 'rsrv,fop,cam,rbak,rrep']);
      const listed = String(await api.cluster.kubectl(['-n', namespace, 'get', 'understudy', '-o', 'name']));
      for (const kind of allKinds) expect(listed).to.contain(`${kind.singular}.${GROUP}/`);
    });
  });
});
