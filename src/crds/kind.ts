import type { z } from 'zod';
import type { CelRule } from './schema.js';

export const GROUP = 'understudy.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** A column of `kubectl get`. Priority 1 shows with `-o wide` only. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  readonly jsonPath: string;
  readonly description?: string;
  readonly priority?: number;
}

/** All that the CRD generator and the API client need to know of a kind. */
export interface KindDefinition<Spec extends z.ZodType = z.ZodType, Status extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** One sentence; becomes `kubectl explain`. */
  readonly description: string;
  readonly spec: Spec | undefined;
  readonly status: Status;
  /** Rules at the root, where `self.metadata.name` and both spec and status are in reach. */
  readonly rules: readonly CelRule[];
  readonly columns: readonly PrinterColumn[];
  readonly selectableFields: readonly string[];
}

/** The address of a kind on the API server. */
export interface KindResource {
  readonly group: typeof GROUP;
  readonly version: typeof VERSION;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: true;
}

export function resourceOf(definition: KindDefinition): KindResource {
  return { group: GROUP, version: VERSION, plural: definition.plural, kind: definition.kind, namespaced: true };
}

/** Metadata as the API server returns it; only what we read. */
export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** An object of one of our kinds. Status is absent until the operator has first seen it. */
export interface Resource<Spec, Status> {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
  spec: Spec;
  status?: Status;
}

/** Names of servers and pools become parts of other names, hence the limit (design: at most 40 characters). */
export const shortNameRule: CelRule = {
  rule: "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
  message:
    'metadata.name must be a DNS label of at most 40 characters (a-z, 0-9 and -): pods, Leases and Services are named after it',
};

/** The API server itself refuses a stale writer: an epoch in status can neither fall nor vanish. */
export const statusEpochRule: CelRule = {
  rule: 'has(oldSelf.status) && has(oldSelf.status.epoch) ? has(self.status) && has(self.status.epoch) && self.status.epoch >= oldSelf.status.epoch : true',
  message: 'status.epoch must not fall: a newer decision has been written; read the object again before writing',
};
