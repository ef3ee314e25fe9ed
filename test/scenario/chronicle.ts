import { EventEmitter } from 'node:events';
import type { Backup, CameraAssignment, FailoverPool, RecorderReport, RecordingServer } from '../../src/crds/index.js';
import { backups, cameraAssignments, failoverPools, recorderReports, recordingServers } from '../../src/crds/index.js';
import type { Api, ObservedEvent } from './api.js';
import { summarize } from './summary.js';

interface Kinds {
  servers: RecordingServer;
  pools: FailoverPool;
  cameras: CameraAssignment;
  reports: RecorderReport;
  backups: Backup;
}

/** One version of an object, and when it was seen. */
export interface Sighting<T> {
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly type: ObservedEvent<T>['type'];
  readonly object: T;
}

/** All that was ever visible in a namespace, each version of each object: what an SRE with endless patience would see. */
export interface Chronicle {
  /** What exists now, by name. */
  all<K extends keyof Kinds>(kind: K): Kinds[K][];
  find<K extends keyof Kinds>(kind: K, name: string): Kinds[K] | undefined;
  /** Every version of one object, oldest first. */
  history<K extends keyof Kinds>(kind: K, name: string): readonly Sighting<Kinds[K]>[];
  /** Looks at the condition after each change until it gives a value. Throws with the state of everything when late. */
  until<T>(what: string, condition: () => T | undefined | false, timeoutMs: number): Promise<T>;
  /** Calls back after each change. */
  onChange(listener: () => void): void;
  stop(): void;
}

const resourceTypes = {
  servers: recordingServers,
  pools: failoverPools,
  cameras: cameraAssignments,
  reports: recorderReports,
  backups,
};

export function openChronicle(api: Api, namespace: string): Chronicle {
  const ended = new AbortController();
  const changes = new EventEmitter().setMaxListeners(0);
  const present = new Map<string, unknown>();
  const past = new Map<string, Sighting<unknown>[]>();

  for (const kind of Object.keys(resourceTypes) as (keyof Kinds)[]) {
    api.observe<Kinds[typeof kind]>(resourceTypes[kind], namespace, ended.signal, ({ type, object }) => {
      const key = `${kind}/${object.metadata.name}`;
      if (type === 'DELETED') present.delete(key);
      else present.set(key, object);
      past.set(key, [...(past.get(key) ?? []), { atMs: Date.now(), type, object }]);
      changes.emit('change');
    });
  }

  const chronicle: Chronicle = {
    all: <K extends keyof Kinds>(kind: K) =>
      [...present.keys()]
        .filter((key) => key.startsWith(`${kind}/`))
        .sort()
        .map((key) => present.get(key) as Kinds[K]),
    find: <K extends keyof Kinds>(kind: K, name: string) => present.get(`${kind}/${name}`) as Kinds[K] | undefined,
    history: <K extends keyof Kinds>(kind: K, name: string) =>
      (past.get(`${kind}/${name}`) ?? []) as readonly Sighting<Kinds[K]>[],
    until: (what, condition, timeoutMs) => untilChange(changes, what, condition, timeoutMs, () => summarize(chronicle)),
    onChange: (listener) => changes.on('change', listener),
    stop: () => ended.abort(),
  };
  return chronicle;
}

function untilChange<T>(
  changes: EventEmitter,
  what: string,
  condition: () => T | undefined | false,
  timeoutMs: number,
  state: () => string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const look = () => {
      try {
        const value = condition();
        if (value !== undefined && value !== false) settle(() => resolve(value));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const timer = setTimeout(() => {
      const waited = `Waited ${Math.round(timeoutMs / 1000)} s in vain until ${what}.`;
      settle(() => reject(new Error(`${waited} What is there:\n${state()}`)));
    }, timeoutMs);
    const settle = (end: () => void) => {
      clearTimeout(timer);
      changes.off('change', look);
      end();
    };
    changes.on('change', look);
    look();
  });
}
