/**
 * Leader election by a coordination.k8s.io Lease, after client-go: the clock of another replica is never trusted, only
 * how long its record has not changed by ours. Whoever loses the lease must end its process.
 */

import type { KubeClient, ObjectRef } from './client.ts';
import { isKubeError } from './kube-error.ts';
import { pause } from './pause.ts';

export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique per process: the pod's name and something random. */
  readonly identity: string;
  readonly durationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  /** Whether the holder is known to have ended: its lease is taken at once. */
  readonly hasEnded?: (holder: string) => boolean;
  /** A monotonic clock in milliseconds. */
  readonly monotonicNow: () => number;
  readonly wallNow: () => number;
  readonly onAcquired: () => void;
  /** Called once, when the lease could not be renewed in time or somebody else holds it. */
  readonly onLost: (why: string) => void;
  readonly onError: (error: unknown) => void;
}

export interface Election {
  isLeader(): boolean;
  /** Stops, and gives the lease back so that the standby need not wait for its end. */
  stop(): Promise<void>;
}

interface Lease {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'Lease';
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/**
 * A standby leads at the latest a duration and two tries after the leader's last word: 15 s. client-go's defaults (15 s, 10 s, 2 s)
 * would be 19 s, of 20 that a failover may take. Tries may fail for 8 s before the leader ends itself, 4 s before another may lead.
 */
const DURATION_MS = 12_000;
const RENEW_DEADLINE_MS = 8_000;
const RETRY_MS = 1_500;
/** Of the client that is given: a try on a connection that has died leaves time for one on another. */
export const LEASE_TIMEOUT_MS = 3_000;

export function startLeaderElection(client: KubeClient, options: LeaseOptions): Election {
  const election = new LeaseElection(client, options);
  election.start();
  return election;
}

class LeaseElection implements Election {
  readonly #client: KubeClient;
  readonly #options: LeaseOptions;
  readonly #ref: ObjectRef;
  readonly #durationMs: number;
  readonly #stop = new AbortController();
  #seen: { readonly record: string; readonly atMs: number } | undefined;
  #held: Lease | undefined;
  #renewedMs = Number.NEGATIVE_INFINITY;
  /** The try that is under way or was last: when it began, and what became of it. */
  #lastTry = { atMs: Number.NEGATIVE_INFINITY, outcome: 'never began' };
  #loop: Promise<void> = Promise.resolve();
  #deadline: NodeJS.Timeout | undefined;
  #lost = false;

  constructor(client: KubeClient, options: LeaseOptions) {
    this.#client = client;
    this.#options = options;
    this.#durationMs = options.durationMs ?? DURATION_MS;
    const { name, namespace } = options;
    this.#ref = { apiVersion: 'coordination.k8s.io/v1', plural: 'leases', namespace, name };
  }

  start(): void {
    this.#loop = this.#run();
  }

  isLeader(): boolean {
    const age = this.#options.monotonicNow() - this.#renewedMs;
    return this.#held !== undefined && !this.#lost && age < this.#durationMs;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#deadline);
    await this.#loop;
    const held = this.#held;
    if (held === undefined || this.#lost) {
      return;
    }
    this.#held = undefined;
    const released = { ...held, spec: { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1 } };
    await this.#put(released).catch(this.#options.onError);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && !this.#lost) {
      await this.#tryOnce();
      await pause(this.#options.retryMs ?? RETRY_MS, this.#stop.signal);
    }
  }

  async #tryOnce(): Promise<void> {
    const startedMs = this.#options.monotonicNow();
    this.#lastTry = { atMs: startedMs, outcome: 'has no answer' };
    try {
      const next = await this.#wanted();
      if (next === undefined) {
        return;
      }
      this.#held =
        next.metadata.resourceVersion === undefined ? await this.#create(next) : await this.#put(next);
      this.#renewed(startedMs);
    } catch (error) {
      this.#lastTry = { atMs: startedMs, outcome: `failed: ${String(error)}` };
      if (!isKubeError(error, 'KUBE_CONFLICT')) {
        this.#options.onError(error);
      }
    }
  }

  /** The record to write now, or undefined while another one leads. */
  async #wanted(): Promise<Lease | undefined> {
    const { identity, monotonicNow, wallNow } = this.#options;
    const current = await this.#client.get<Lease>(this.#ref);
    const record = JSON.stringify(current?.spec);
    if (this.#seen?.record !== record) {
      this.#seen = { record, atMs: monotonicNow() };
    }
    const holder = current?.spec.holderIdentity ?? '';
    const hasEnded = this.#options.hasEnded?.(holder) === true;
    const free = holder === '' || hasEnded || monotonicNow() - this.#seen.atMs >= this.#durationMs;
    if (holder !== identity && this.#held !== undefined) {
      this.#lose(`the lease is held by ${holder === '' ? 'nobody' : holder}`);
      return undefined;
    }
    if (holder !== identity && !free) {
      return undefined;
    }
    const now = microTime(wallNow());
    const taken = holder !== identity;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: this.#options.name,
        namespace: this.#options.namespace,
        ...(current?.metadata.resourceVersion === undefined
          ? {}
          : { resourceVersion: current.metadata.resourceVersion }),
      },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#durationMs / 1000),
        acquireTime: taken ? now : (current?.spec.acquireTime ?? now),
        renewTime: now,
        leaseTransitions: (current?.spec.leaseTransitions ?? 0) + (taken && current !== undefined ? 1 : 0),
      },
    };
  }

  #create(lease: Lease): Promise<Lease> {
    const { apiVersion, plural } = this.#ref;
    return this.#client.create<Lease>({ apiVersion, plural, namespace: this.#options.namespace }, lease);
  }

  #put(lease: Lease): Promise<Lease> {
    const { namespace, name } = this.#options;
    return this.#client.request<Lease>(
      'PUT',
      `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`,
      lease,
    );
  }

  #renewed(startedMs: number): void {
    if (this.#lost) {
      return;
    }
    const first = this.#renewedMs === Number.NEGATIVE_INFINITY;
    this.#renewedMs = startedMs;
    this.#lastTry = { atMs: startedMs, outcome: 'succeeded' };
    clearTimeout(this.#deadline);
    const deadlineMs = this.#options.renewDeadlineMs ?? RENEW_DEADLINE_MS;
    this.#deadline = setTimeout(() => this.#lose(this.#notRenewed()), deadlineMs);
    if (this.#stop.signal.aborted) {
      clearTimeout(this.#deadline);
    } else if (first) {
      this.#options.onAcquired();
    }
  }

  /** Tells an API server that does not answer from a process that stood still: there the last try succeeded. */
  #notRenewed(): string {
    const since = (ms: number): string => `${Math.round(this.#options.monotonicNow() - ms)} ms`;
    const { atMs, outcome } = this.#lastTry;
    return `not renewed for ${since(this.#renewedMs)}: the last try, ${since(atMs)} ago, ${outcome}`;
  }

  #lose(why: string): void {
    if (this.#lost || this.#stop.signal.aborted) {
      return;
    }
    this.#lost = true;
    clearTimeout(this.#deadline);
    this.#options.onLost(why);
  }
}

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
