import { createRequire } from 'node:module';
import { SamplerError } from './sampler-error.ts';

/** Of bpf/requests.h: addon, BPF object and this directory have to be of one version. */
const ABI_VERSION = 4;

/** What native/request_addon.cc takes without looking; the caller has checked it. */
export interface NativeWatcherOptions {
  readonly objectPath: string;
  /** enum class Hooks of native/request_watcher.h. */
  readonly hooks: number;
  readonly ringBytes: number;
  readonly maxContainers: number;
  readonly maxConnections: number;
  readonly maxExchanges: number;
  readonly measure: boolean;
}

/** Opaque, and of no use to anything but the addon. */
export type NativeWatcher = { readonly __native: 'request watcher' };

/** One element of each column is an exchange; `methods`, `outcomes` and `rpcs` count as src/native/exchange-batch.ts does. */
export interface NativeExchanges {
  readonly containers: Uint32Array<ArrayBuffer>;
  readonly startedAtNs: Float64Array<ArrayBuffer>;
  readonly latencyNs: Float64Array<ArrayBuffer>;
  readonly methods: Uint8Array<ArrayBuffer>;
  readonly paths: readonly string[];
  readonly pathIndices: Uint32Array<ArrayBuffer>;
  readonly statuses: Uint16Array<ArrayBuffer>;
  readonly rpcs: Uint8Array<ArrayBuffer>;
  readonly grpcStatuses: Uint8Array<ArrayBuffer>;
  readonly outcomes: Uint8Array<ArrayBuffer>;
  readonly bytesIn: Float64Array<ArrayBuffer>;
  readonly bytesOut: Float64Array<ArrayBuffer>;
  readonly receivedAtNs: Float64Array<ArrayBuffer>;
  readonly processes: Uint32Array<ArrayBuffer>;
  readonly receivers: Uint32Array<ArrayBuffer>;
  readonly senders: Uint32Array<ArrayBuffer>;
  /** -1 where it is not known. */
  readonly stoppedNs: Float64Array<ArrayBuffer>;
  /** With holes where a request had none. */
  readonly traceParents: readonly (string | undefined)[];
}

/** What became of calls, connections and exchanges since the watcher was opened. */
export interface RequestCounters {
  /** Records that the kernel's part had for us, and those of them that the ring had no room for. */
  readonly sent: number;
  readonly ringFull: number;
  /** Calls on sockets beyond the bound on connections: the kernel's, and ours. */
  readonly tableFull: number;
  readonly noRoom: number;
  /** Calls whose bytes are out of reach: sendfile, io_uring, a page that is not there. */
  readonly noBytes: number;
  /** Calls on sockets that serve nobody, and on those that nobody has recognised. */
  readonly notServing: number;
  readonly unknownProtocol: number;
  /** Connections whose content cannot be seen here, and those of HTTP/2. */
  readonly tls: number;
  readonly http2: number;
  /** Calls of HTTP/2 in which no frame's beginning is known. */
  readonly unframed: number;
  /** Records taken from the ring, without sense, and missing in a connection's numbering. */
  readonly records: number;
  readonly malformed: number;
  readonly missed: number;
  readonly exchanges: number;
  /** Exchanges that were lost, for nobody took them in time. */
  readonly notTaken: number;
  /** Known now. */
  readonly connections: number;
  /** Calls where a message was due and that were none. */
  readonly garbage: number;
  /** Messages that may have begun in bytes that were not copied. */
  readonly hidden: number;
  /** Requests whose responses could not be told apart any more. */
  readonly givenUp: number;
  /** Requests whose clock starts when they were read. */
  readonly noArrival: number;
  /** Connections that went on in another protocol. */
  readonly upgraded: number;
  /** Requests beyond those that are followed on one connection. */
  readonly tooMany: number;
  /** Responses to requests of before our time. */
  readonly unasked: number;
  /** Header blocks of HTTP/2 that were not copied whole, or are none; requests whose path is not known. */
  readonly unread: number;
  readonly unnamed: number;
  /** Of the BPF programs; zeros unless they are measured. */
  readonly programs: readonly { readonly name: string; readonly runs: number; readonly runNs: number }[];
}

export interface RequestAddon {
  readonly abiVersion: number;
  open(options: NativeWatcherOptions): NativeWatcher;
  watch(watcher: NativeWatcher, cgroup: bigint, container: number): void;
  unwatch(watcher: NativeWatcher, cgroup: bigint): void;
  countStops(watcher: NativeWatcher, process: number, address: bigint): void;
  forgetStops(watcher: NativeWatcher, process: number): void;
  take(watcher: NativeWatcher): NativeExchanges;
  /** Four numbers for each: container, process and thread that received it, and when. */
  openRequests(watcher: NativeWatcher): Float64Array<ArrayBuffer>;
  counters(watcher: NativeWatcher): RequestCounters;
  /** In the order of enum fg_hidden. */
  hidden(watcher: NativeWatcher, cgroup: bigint): readonly number[];
  usesSockets(watcher: NativeWatcher): boolean;
  close(watcher: NativeWatcher): void;
}

/** Loads the addon from an absolute path. Throws SAMPLER_ADDON_UNUSABLE. */
export function loadRequestAddon(path: string): RequestAddon {
  let loaded: unknown;
  try {
    loaded = createRequire(import.meta.url)(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SamplerError('SAMPLER_ADDON_UNUSABLE', `cannot load the addon ${path}: ${why}`, { cause });
  }
  if (!isAddon(loaded)) {
    const fact = `${path} is not the addon of this version (interface of requests ${ABI_VERSION})`;
    throw new SamplerError('SAMPLER_ADDON_UNUSABLE', fact);
  }
  return loaded.requests;
}

function isAddon(value: unknown): value is { requests: RequestAddon } {
  if (typeof value !== 'object' || value === null || !('requests' in value)) return false;
  const { requests } = value;
  return (
    typeof requests === 'object' &&
    requests !== null &&
    'abiVersion' in requests &&
    requests.abiVersion === ABI_VERSION
  );
}
