/**
 * A cache of one resource, kept by client-node's ListWatch. What ListWatch leaves to its user is done here: it stops at
 * every error but 410, so it is started again with backoff; list items come without apiVersion and kind; objects are
 * cut down before they are kept, since pods and Deployments are mostly what nobody here reads.
 */
import {
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  ListWatch,
  Watch,
} from '@kubernetes/client-node';
import { type KubeClient, pathOf } from './client.ts';

export interface InformedResource {
  readonly apiVersion: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespace?: string;
}

export interface InformerOptions<T> {
  /** Cuts an object down to what is read here; it owns the object and may change it. */
  readonly trim?: (object: T) => T;
  readonly onChange?: (object: T) => void;
  readonly onError?: (error: unknown, retryInMs: number) => void;
  /** The cache holds a whole list: at first, and after every gap. */
  readonly onListed?: () => void;
  readonly now?: () => number;
  /** Objects in one answer of a list; default 500. */
  readonly pageSize?: number;
}

export interface Informer<T> {
  get(name: string, namespace?: string): T | undefined;
  /** One list until an object in it changes. */
  list(namespace?: string): readonly T[];
  /** True once the first list has arrived. */
  synced(): boolean;
  /** When the API server last answered: a list, an event or a bookmark. */
  lastHeardMs(): number;
  stop(): Promise<void>;
}

const PAGE_SIZE = 500; // as client-go's pager asks
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** Bookmarks come about once a minute; two of them missing means the connection is dead. */
const SILENCE_MS = 130_000;

export function startInformer<T extends KubernetesObject>(
  kubeConfig: KubeConfig,
  client: KubeClient,
  resource: InformedResource,
  options: InformerOptions<T> = {},
): Informer<T> {
  return new ResourceInformer(kubeConfig, client, resource, options);
}

/** As the API server sends it; client-node's own type has `_continue`. */
type Page<T extends KubernetesObject> = KubernetesListObject<T> & {
  readonly metadata?: { readonly continue?: string };
};

class ResourceInformer<T extends KubernetesObject> implements Informer<T> {
  readonly #client: KubeClient;
  readonly #resource: InformedResource;
  readonly #options: InformerOptions<T>;
  readonly #listWatch: ListWatch<T>;
  readonly #now: () => number;
  readonly #pageSize: number;
  /** By namespace, '' for all, as long as they are true. */
  readonly #lists = new Map<string, readonly T[]>();
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  #synced = false;
  #stopped = false;
  #heardMs: number;

  constructor(
    kubeConfig: KubeConfig,
    client: KubeClient,
    resource: InformedResource,
    options: InformerOptions<T>,
  ) {
    this.#client = client;
    this.#resource = resource;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#pageSize = options.pageSize ?? PAGE_SIZE;
    this.#heardMs = this.#now();
    this.#listWatch = new ListWatch<T>(pathOf(resource), this.#watch(kubeConfig), () => this.#list(), false);
    this.#listWatch.on('change', (object: T) => {
      this.#lists.delete(object.metadata?.namespace ?? '');
      this.#lists.delete('');
      options.onChange?.(object);
    });
    this.#listWatch.on('error', (error) => this.#restart(error));
    this.#start();
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#listWatch.get(name, namespace);
  }

  list(namespace = ''): readonly T[] {
    const known = this.#lists.get(namespace);
    if (known !== undefined) return known;
    const list = this.#listWatch.list(namespace);
    if (list.length > 0) this.#lists.set(namespace, list); // of namespaces that are gone nothing is kept
    return list;
  }

  synced(): boolean {
    return this.#synced;
  }

  lastHeardMs(): number {
    return this.#heardMs;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#listWatch.stop();
  }

  #start(): void {
    this.#listWatch.start().catch((error: unknown) => this.#restart(error));
  }

  #restart(error: unknown): void {
    if (this.#stopped) {
      return;
    }
    const delayMs = this.#retryMs;
    this.#retryMs = Math.min(LAST_RETRY_MS, delayMs * 2);
    this.#options.onError?.(error, delayMs);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#start(), delayMs);
  }

  #heard(): void {
    this.#heardMs = this.#now();
    this.#retryMs = FIRST_RETRY_MS;
  }

  /** In pages, each cut down before the next is asked for: all pods of a large cluster in one answer are hundreds of megabytes. */
  async #list(): Promise<KubernetesListObject<T>> {
    const { apiVersion, kind } = this.#resource;
    const items: T[] = [];
    for (let next = ''; ; ) {
      const query = `limit=${this.#pageSize}&continue=${encodeURIComponent(next)}`;
      const page = await this.#client.request<Page<T>>('GET', `${pathOf(this.#resource)}?${query}`);
      for (const item of page.items) items.push(this.#trim(Object.assign(item, { apiVersion, kind })));
      this.#heard();
      next = page.metadata?.continue ?? '';
      // Every page is of the same moment: the last one's resourceVersion is the list's.
      if (next === '' || this.#stopped) return { ...page, items };
    }
  }

  #trim(object: T): T {
    return this.#options.trim?.(object) ?? object;
  }

  /** client-node's Watch with bookmarks, our trim, our silence limit, and no rejection that nobody handles. */
  #watch(kubeConfig: KubeConfig): Watch {
    const watch = new Watch(kubeConfig);
    Reflect.set(watch, 'requestTimeoutMs', SILENCE_MS); // private in its types; 30 s makes quiet resources reconnect
    const open = watch.watch.bind(watch);
    watch.watch = async (path, query, callback, done) => {
      if (this.#stopped) {
        return new AbortController();
      }
      this.#synced = true; // ListWatch opens the watch only after its cache has been filled
      this.#options.onListed?.();
      const onEvent = (phase: string, object: unknown) => {
        this.#heard();
        callback(phase, phase === 'ERROR' || phase === 'BOOKMARK' ? object : this.#trim(object as T));
      };
      return open(path, { ...query, allowWatchBookmarks: true }, onEvent, done).catch((error: unknown) => {
        done(error);
        return new AbortController();
      });
    };
    return watch;
  }
}
