/**
 * The controller's loop, on the base class of @dot-i/k8s-operator. Kept of the base: credentials, start and init, the
 * finalizer routine. Replaced, because with client-node 2 the stock class ends the process at the first quiet 30 s and
 * reports failed writes as done (operator-base.test.ts shows both): watching, queueing, every write.
 */
import dot, { type OperatorLogger, type ResourceEvent, type ResourceMeta } from '@dot-i/k8s-operator';
import { type KubeConfig, type KubernetesObject, PatchStrategy } from '@kubernetes/client-node';
import type { ClusterResource } from '../crds/schema.ts';
import { type KubeClient, pathOf } from '../kube/client.ts';
import { type Requeue, WorkQueue } from '../kube/work-queue.ts';
import type { ControllerMetrics } from './metrics.ts';

/** A resource as the API server names it. */
export interface WatchedResource {
  readonly apiVersion: string;
  readonly plural: string;
  readonly kind: string;
}

/**
 * Level-based: it is told which object to look at, never what happened to it. `object` is undefined once the object
 * is gone. A thrown error is retried with backoff; `requeueAfterMs` asks for another look at that time.
 */
export interface Reconciler<T = unknown> {
  readonly resource: WatchedResource;
  reconcile(key: string, object: T | undefined, signal: AbortSignal): Promise<Requeue | undefined>;
}

export interface OperatorOptions {
  readonly kubeConfig: KubeConfig;
  readonly client: KubeClient;
  readonly fieldManager: string;
  readonly metrics: ControllerMetrics;
  readonly log: OperatorLog;
  readonly now: () => number;
}

export interface OperatorLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const WORKERS = 4;
const COALESCE_MS = 200;

/** `namespace/name`, or the name alone for what has no namespace. */
export const keyOf = (object: KubernetesObject): string => {
  const { namespace, name = '' } = object.metadata ?? {};
  return namespace === undefined ? name : `${namespace}/${name}`;
};

export function parseKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) };
}

const idOf = (resource: WatchedResource): string => `${resource.plural}.${resource.apiVersion}`;

export class ReconcilingOperator extends dot.default {
  readonly #options: OperatorOptions;
  readonly #queues = new Map<string, WorkQueue>();
  readonly #resources = new Map<string, WatchedResource>();

  constructor(options: OperatorOptions) {
    super(baseLogger(options.log));
    this.kubeConfig = options.kubeConfig;
    this.#options = options;
  }

  /** Adds a reconciler and where it finds its objects; its queue begins to work at `start()`. */
  add<T>(reconciler: Reconciler<T>, lookup: (namespace: string, name: string) => T | undefined): void {
    const { metrics, log, now } = this.#options;
    const { resource } = reconciler;
    const controller = resource.kind.toLowerCase();
    const work = (key: string, signal: AbortSignal) => {
      const { namespace, name } = parseKey(key);
      return reconciler.reconcile(key, lookup(namespace, name), signal);
    };
    const queue = new WorkQueue(work, {
      workers: WORKERS,
      now,
      observer: metrics.queue(controller),
      onError: (key, err, attempt) => log.warn({ controller, key, attempt, err }, 'reconcile failed'),
    });
    this.#resources.set(idOf(resource), resource);
    this.#queues.set(idOf(resource), queue);
  }

  /** A moment later, so that the many changes of a rollout become one look. */
  enqueueSoon(resource: WatchedResource, key: string): void {
    this.#queues.get(idOf(resource))?.addAfter(key, COALESCE_MS);
  }

  /** So, too, because something else changed: what looks at many pods is not to look at them with each of their changes. */
  enqueueRested(resource: WatchedResource, key: string): void {
    this.#queues.get(idOf(resource))?.addRested(key, COALESCE_MS);
  }

  /**
   * Sees to the finalizer by the base class's routine: adds it, or runs `cleanUp` and takes it off an object that is
   * being deleted. True when there is nothing more to do with this version of the object.
   */
  finalize(
    object: ClusterResource<unknown, unknown>,
    finalizer: string,
    cleanUp: () => Promise<void>,
  ): Promise<boolean> {
    const { apiVersion, kind, metadata } = object;
    const plural = [...this.#resources.values()].find(
      (resource) => resource.kind === kind && resource.apiVersion === apiVersion,
    )?.plural;
    const { name, namespace, resourceVersion, deletionTimestamp } = metadata;
    const copy: KubernetesObject = {
      apiVersion,
      kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        resourceVersion,
        finalizers: [...(metadata.finalizers ?? [])], // the base class writes into this list
        ...(deletionTimestamp === undefined ? {} : { deletionTimestamp: new Date(deletionTimestamp) }),
      },
    };
    const meta = dot.ResourceMetaImpl.createWithPlural(plural ?? '', copy);
    const event = { meta, object: copy, type: dot.ResourceEventType.Modified };
    return this.handleResourceFinalizer(event, finalizer, cleanUp);
  }

  async shutdown(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.stop()));
  }

  protected override async init(): Promise<void> {
    for (const queue of this.#queues.values()) {
      queue.start();
    }
  }

  override stop(): void {
    void this.shutdown();
  }

  /** Sends the resourceVersion along: the base class would replace the list, and with it others' finalizers. */
  protected override async setResourceFinalizers(meta: ResourceMeta, finalizers: string[]): Promise<void> {
    const body = { metadata: { finalizers, resourceVersion: meta.resourceVersion } };
    const path = `${this.#pathOf(meta)}?fieldManager=${this.#options.fieldManager}`;
    await this.#options.client.request('PATCH', path, body, PatchStrategy.MergePatch);
  }

  /** Throws, where the base class logs and returns null. */
  protected override async patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    return this.#writeStatus('PATCH', meta, status);
  }

  protected override async setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    return this.#writeStatus('PUT', meta, status);
  }

  protected override getCustomResourceApiUri(
    group: string,
    version: string,
    plural: string,
    namespace?: string,
  ): string {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const server = this.kubeConfig.getCurrentCluster()?.server ?? '';
    return server + pathOf({ apiVersion, plural, ...(namespace === undefined ? {} : { namespace }) });
  }

  protected override async registerCustomResourceDefinition(): Promise<never> {
    throw new Error('the kinds are installed with the manifests, not by the controller');
  }

  protected override async watchResource(
    _group: string,
    _version: string,
    _plural: string,
    _onEvent: (event: ResourceEvent) => Promise<void>,
  ): Promise<never> {
    throw new Error('watching is the informers’ work: add a reconciler');
  }

  #pathOf(meta: ResourceMeta): string {
    const plural = meta.id.slice(0, meta.id.indexOf('.'));
    const { apiVersion, namespace, name } = meta;
    return pathOf({ apiVersion, plural, name, ...(namespace === undefined ? {} : { namespace }) });
  }

  async #writeStatus(method: 'PUT' | 'PATCH', meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const { apiVersion, kind, name, namespace, resourceVersion } = meta;
    const body = { apiVersion, kind, metadata: { name, namespace, resourceVersion }, status };
    const path = `${this.#pathOf(meta)}/status?fieldManager=${this.#options.fieldManager}`;
    const contentType = method === 'PATCH' ? PatchStrategy.MergePatch : 'application/json';
    const written = await this.#options.client.request<KubernetesObject>(method, path, body, contentType);
    return { ...meta, resourceVersion: written.metadata?.resourceVersion ?? resourceVersion };
  }
}

function baseLogger(log: OperatorLog): OperatorLogger {
  const debug = (message: string) => log.debug({ base: message }, 'operator base');
  const warn = (message: string) => log.warn({ base: message }, 'operator base');
  return { debug, info: debug, warn, error: warn };
}
