import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { redactSecrets } from './operator/log.js';

const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const pullPolicies = ['Always', 'IfNotPresent', 'Never'] as const;

/** How this replica runs; everything comes from the environment, and nothing is read anew later. */
export interface OperatorConfig {
  /** Image of recorder pods whose template names none. */
  readonly image: string;
  readonly imagePullPolicy: (typeof pullPolicies)[number];
  /** Where the operator itself runs, and where its leader Lease lies. */
  readonly namespace: string;
  /** Who this replica is in the leader Lease. */
  readonly identity: string;
  /** Empty: all. */
  readonly watchNamespaces: readonly string[];
  /** Health and metrics. */
  readonly healthPort: number;
  readonly logLevel: (typeof logLevels)[number];
  /** Leader election, in milliseconds; renewDeadlineMs lies between the other two. */
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** Names every variable that is wrong, and what it may be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Collects what is wrong, so that a person mends it in one go. */
class EnvironmentReader {
  readonly problems: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** An empty value counts as absent: charts render absent values so. */
  text(name: string): string | undefined {
    return this.#environment[name]?.trim() || undefined;
  }

  required(name: string, what: string): string {
    const value = this.text(name);
    if (value === undefined) this.problems.push(`${name} is not set; set it to ${what}`);
    return value ?? '';
  }

  number(name: string, fallback: number, min: number, max: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (Number.isFinite(value) && value >= min && value <= max) return value;
    this.#wrong(name, `a number from ${min} to ${max}`);
    return fallback;
  }

  choice<T extends string>(name: string, fallback: T, allowed: readonly T[]): T {
    const text = this.text(name);
    const value = text === undefined ? fallback : allowed.find((candidate) => candidate === text);
    if (value === undefined) this.#wrong(name, `one of ${allowed.join(', ')}`);
    return value ?? fallback;
  }

  names(name: string): string[] {
    const values = (this.text(name) ?? '').split(',').map((value) => value.trim());
    const named = values.filter((value) => value !== '');
    const valid = named.every((value) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value));
    if (!valid) this.#wrong(name, 'namespaces separated by commas, or empty for all');
    return [...new Set(named)];
  }

  #wrong(name: string, allowed: string): void {
    this.problems.push(`${name} is '${redactSecrets(this.#environment[name] ?? '')}'; it must be ${allowed}`);
  }
}

function ownNamespace(readNamespaceFile: () => string): string {
  try {
    return readNamespaceFile().trim();
  } catch {
    // Outside of a pod there is no such file; the caller says what to set instead.
    return '';
  }
}

/** Reads the operator's configuration. Throws ConfigError with one line for each variable that is wrong. */
export function readOperatorConfig(
  environment: Environment,
  readNamespaceFile: () => string = () => readFileSync(NAMESPACE_FILE, 'utf8'),
): OperatorConfig {
  const reader = new EnvironmentReader(environment);
  const seconds = (name: string, fallback: number) => reader.number(name, fallback, 0.1, 3600) * 1000;
  const config: OperatorConfig = {
    image: reader.required('UNDERSTUDY_IMAGE', 'the image of recorder pods, which is that of the operator'),
    imagePullPolicy: reader.choice('UNDERSTUDY_IMAGE_PULL_POLICY', 'IfNotPresent', pullPolicies),
    namespace: reader.text('UNDERSTUDY_NAMESPACE') ?? ownNamespace(readNamespaceFile),
    identity: reader.text('UNDERSTUDY_POD_NAME') ?? hostname(),
    watchNamespaces: reader.names('UNDERSTUDY_WATCH_NAMESPACES'),
    healthPort: reader.number('UNDERSTUDY_HEALTH_PORT', 8081, 0, 65535),
    logLevel: reader.choice('UNDERSTUDY_LOG_LEVEL', 'info', logLevels),
    leaseDurationMs: seconds('UNDERSTUDY_LEASE_DURATION_SECONDS', 15),
    renewDeadlineMs: seconds('UNDERSTUDY_RENEW_DEADLINE_SECONDS', 10),
    retryPeriodMs: seconds('UNDERSTUDY_RETRY_PERIOD_SECONDS', 2),
  };
  if (config.namespace === '') {
    reader.problems.push("UNDERSTUDY_NAMESPACE is not set; outside of a pod, set it to the operator's namespace");
  }
  if (!(config.retryPeriodMs < config.renewDeadlineMs && config.renewDeadlineMs < config.leaseDurationMs)) {
    reader.problems.push(
      'UNDERSTUDY_RETRY_PERIOD_SECONDS must be less than UNDERSTUDY_RENEW_DEADLINE_SECONDS, and that less than UNDERSTUDY_LEASE_DURATION_SECONDS',
    );
  }
  if (reader.problems.length > 0) throw new ConfigError(reader.problems.join('\n'));
  return config;
}
