import type { EndState } from '../oracle/end-state.js';
import type { DesiredState } from './specs.js';

/**
 * Acto's consistency oracle: a word of a spec has to be found in an object that the operator manages. Exempt is what the
 * recorder agent reads from the spec itself, and what is there for people.
 */
const exempt: readonly RegExp[] = [
  /^server\.plugins/,
  /^camera\.source\.url$/,
  /^camera\.source\.captureCard$/,
  // Kubernetes has its own defaults for what is absent there.
  /^pool\./,
];

/** What is not made while a server is maintained. */
const ofPod = /^server\.(podTemplate|recorder|volumes)/;
/** What only a server with a role of its own has. */
const ofRole = /^server\.serviceTemplate/;

const generated = /z[a-z]{9}/;

interface Word {
  readonly path: string;
  readonly text: string;
}

function wordsIn(value: unknown, path: string): Word[] {
  if (typeof value === 'string') {
    const [text] = generated.exec(value) ?? [];
    return text === undefined ? [] : [{ path, text }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const [text] = Array.isArray(value) ? [] : (generated.exec(key) ?? []);
    const ofKey = text === undefined ? [] : [{ path: `${path}.${key}`, text }];
    return [...ofKey, ...wordsIn(child, `${path}.${key}`)];
  });
}

/** Words of the specs that no managed object shows, one line each. */
export function invisible({ server, camera }: DesiredState, state: EndState): string[] {
  const managed = [...state].filter(([key]) => !/^(RecordingServer|FailoverPool|CameraAssignment)\//.test(key));
  const text = JSON.stringify(managed);
  const hasPod = state.has('Pod/subject');
  const isHome = server.type !== 'Failover';
  return [...wordsIn(server, 'server'), ...wordsIn(camera, 'camera')]
    .filter(({ path }) => !exempt.some((pattern) => pattern.test(path)))
    .filter(({ path }) => hasPod || !ofPod.test(path))
    .filter(({ path }) => isHome || !ofRole.test(path))
    .filter((word) => !text.includes(word.text))
    .map(({ path, text: missing }) => `${path}: ${missing} is in no object that the operator manages`);
}
