import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { decodeExchanges, decodeOpen, type ExchangeBatch, type OpenRequest } from './exchange-batch.ts';
import { explained } from './native-failure.ts';
import { loadRequestAddon, type RequestCounters } from './request-addon.ts';
import { SamplerError } from './sampler-error.ts';

export interface RequestWatcherOptions {
  /** requests.bpf.o and flamegate.node, of one build. */
  readonly objectPath: string;
  readonly addonPath: string;
  /** Where the kernel is listened to; without it, at sockets if this kernel can (6.3), else at system calls (needs tracefs). */
  readonly hooks?: RequestHooks;
  /** A power of two. A request takes one to three kilobytes; the ring is emptied ten times a second, and when a quarter is full. */
  readonly ringBytes: number;
  readonly maxContainers: number;
  /** TCP connections of watched containers, clients' included; those beyond are counted and not seen. */
  readonly maxConnections: number;
  /** Finished exchanges between two takes; more are counted as lost. */
  readonly maxExchanges: number;
  /** Has the kernel measure the BPF programs (CAP_SYS_ADMIN; without it, nothing is measured). */
  readonly measure?: boolean;
}

const HOOKS = ['sockets', 'systemCalls'] as const; // behind kAny in native/request_watcher.h
export type RequestHooks = (typeof HOOKS)[number];

/**
 * Calls by which a container received what cannot be read here: where it serves TLS; HTTP/2 on connections from before, as long as
 * no request was found on them; and whatever else.
 */
export interface HiddenCalls {
  readonly tls: number;
  readonly http2: number;
  readonly other: number;
}

export interface RequestWatcher {
  readonly hooks: RequestHooks;
  /**
   * Begins to watch the sockets of a container: the id of its cgroup v2 directory, under a number of the caller's that its
   * exchanges will have. The first one attaches to the kernel. Throws SAMPLER_TARGETS_FULL and REQUESTS_ATTACH_FAILED.
   */
  watch(cgroup: bigint, container: number): void;
  /** What has finished until now still comes with the next take; what has not is forgotten. The last one detaches. */
  unwatch(cgroup: bigint): void;
  /**
   * From now on exchanges tell how long the process's JVM stood still meanwhile, by the counter of eight bytes that it has
   * at an address. Throws SAMPLER_PROCESSES_FULL.
   */
  countStops(process: number, address: bigint): void;
  /** Has to be called when the process has ended, before its id is used again. */
  forgetStops(process: number): void;
  /** Everything that finished since the last call; clears it. */
  take(): ExchangeBatch;
  /** Requests that were received and are not answered now. */
  open(): readonly OpenRequest[];
  /** Of a cgroup since it is watched; zeros of one that is not. */
  hidden(cgroup: bigint): HiddenCalls;
  counters(): RequestCounters;
  /** Leaves nothing in the kernel. Safe to call twice; every other call then throws SAMPLER_CLOSED. */
  close(): void;
}

const MIN_RING_BYTES = 32_768; // three of the longest records, and whole pages
const MAX_RING_BYTES = 64 * 1024 * 1024;
const MAX_CONTAINERS = 65_536;
const MAX_CONNECTIONS = 1_000_000; // 100 bytes each in the kernel, of HTTP/2 500; 600 here
const MAX_EXCHANGES = 1_000_000; // 200 bytes each
const MAX_ID = 2n ** 64n - 1n;
const MAX_PID = 2 ** 22; // PID_MAX_LIMIT
const END_OF_USER_MEMORY = 2n ** 47n;

/**
 * Loads the programs that watch requests; nothing runs before a container is watched. Throws a SamplerError. Close it; one
 * that is forgotten is closed by the garbage collector.
 */
export function openRequestWatcher(options: RequestWatcherOptions): RequestWatcher {
  checkOptions(options);
  const objectPath = resolve(options.objectPath);
  if (!existsSync(objectPath)) {
    throw new SamplerError('BPF_OBJECT_MISSING', `there is no BPF object at ${objectPath}`);
  }
  const addon = loadRequestAddon(resolve(options.addonPath));
  const native = explained(() =>
    addon.open({
      objectPath,
      hooks: options.hooks === undefined ? 0 : HOOKS.indexOf(options.hooks) + 1,
      ringBytes: options.ringBytes,
      maxContainers: options.maxContainers,
      maxConnections: options.maxConnections,
      maxExchanges: options.maxExchanges,
      measure: options.measure ?? false,
    }),
  );
  return {
    hooks: addon.usesSockets(native) ? 'sockets' : 'systemCalls',
    watch(cgroup, container) {
      inRange('container', container, 0, 2 ** 32 - 1);
      explained(() => addon.watch(native, checkedId(cgroup), container));
    },
    unwatch(cgroup) {
      explained(() => addon.unwatch(native, checkedId(cgroup)));
    },
    countStops(process, address) {
      inRange('process', process, 1, MAX_PID);
      explained(() => addon.countStops(native, process, checkedAddress(address)));
    },
    forgetStops(process) {
      inRange('process', process, 1, MAX_PID);
      explained(() => addon.forgetStops(native, process));
    },
    take: () => decodeExchanges(explained(() => addon.take(native))),
    open: () => decodeOpen(explained(() => addon.openRequests(native))),
    hidden(cgroup) {
      const [tls = 0, http2 = 0, other = 0] = explained(() => addon.hidden(native, checkedId(cgroup)));
      return { tls, http2, other };
    },
    counters: () => explained(() => addon.counters(native)),
    close() {
      addon.close(native);
    },
  };
}

function checkOptions(options: RequestWatcherOptions): void {
  const { ringBytes } = options;
  inRange('ringBytes', ringBytes, MIN_RING_BYTES, MAX_RING_BYTES);
  inRange('maxContainers', options.maxContainers, 1, MAX_CONTAINERS);
  inRange('maxConnections', options.maxConnections, 1, MAX_CONNECTIONS);
  inRange('maxExchanges', options.maxExchanges, 1, MAX_EXCHANGES);
  if ((ringBytes & (ringBytes - 1)) !== 0) {
    throw new SamplerError('SAMPLER_BAD_OPTION', `ringBytes is ${ringBytes}, not a power of two`);
  }
}

function inRange(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new SamplerError(
    'SAMPLER_BAD_OPTION',
    `${name} is ${value}, not a whole number of ${least} to ${most}`,
  );
}

function checkedId(id: bigint): bigint {
  if (id >= 0n && id <= MAX_ID) return id;
  throw new SamplerError('SAMPLER_BAD_OPTION', `cgroup ${id} is not a 64-bit id`);
}

function checkedAddress(address: bigint): bigint {
  if (address > 0n && address < END_OF_USER_MEMORY) return address;
  throw new SamplerError('SAMPLER_BAD_OPTION', `address ${address} is none of a process`);
}
