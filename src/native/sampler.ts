import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadAddon } from './addon.ts';
import { explained } from './native-failure.ts';
import { onlineCpus } from './online-cpus.ts';
import { decodeBatch, type SampleBatch } from './sample-batch.ts';
import { decodeCounters, type SamplerCounters } from './sampler-counters.ts';
import { SamplerError } from './sampler-error.ts';

export interface SamplerOptions {
  /** cpu.bpf.o, flamegate.node and, loaded when somebody asks who waits or reads, offcpu.bpf.o and io.bpf.o; of one build. */
  readonly objectPath: string;
  readonly addonPath: string;
  readonly offCpuObjectPath: string;
  readonly ioObjectPath: string;
  /** 1 to 199. The kernel makes a fixed period of it: take odd rates (49, 97, 199), or periodic load hides between ticks. */
  readonly frequencyHz: number;
  readonly filter: 'cgroup' | 'pid';
  /** A power of two; 1 MB holds 650 of the deepest stacks, and is emptied ten times a second. */
  readonly ringBytes: number;
  readonly maxTargets: number;
  /** Processes whose stacks are copied and unwound. */
  readonly maxProcesses?: number;
  /** Distinct stacks of one batch; more are counted as lost. */
  readonly maxStacks: number;
  /** Has the kernel measure the BPF program (CAP_SYS_ADMIN; without it, nothing is measured). */
  readonly measure?: boolean;
}

export interface Sampler {
  /** Names of the numbers of a JVM's layout, and of its heap's. */
  readonly layoutFields: readonly string[];
  readonly heapFields: readonly string[];
  /**
   * Begins to sample a target: a cgroup v2 id (inode of the cgroup directory; processes of its child cgroups are not
   * in it) or a pid of the initial namespace, by the filter chosen at open. Throws SAMPLER_TARGETS_FULL.
   */
  addTarget(id: bigint): void;
  /** What was sampled until now still comes with the next take. */
  removeTarget(id: bigint): void;
  /** From now on the clock of every CPU ticks so often, 1 to 199 times a second. What was sampled before stays. */
  setFrequency(frequencyHz: number): void;
  /**
   * From now on only this part of a target's ticks is sampled, above 0 and at most 1, chosen at random: as by a slower clock,
   * at some 3 µs for a tick that is not. A new target has all of them.
   */
  thin(id: bigint, part: number): void;
  /**
   * From now on the stacks of this process are copied and unwound by its own code's rules, not walked by frame pointers,
   * whenever a target it belongs to is sampled. With the layout of its JVM (`layoutFields`, -1 for what it lacks) Java
   * frames are among them. Throws SAMPLER_LAYOUT_INVALID and SAMPLER_PROCESSES_FULL.
   */
  addProcess(process: UnwoundProcess): void;
  /**
   * From now on the suspended callers of coroutines that run in an added process are among its frames, read from its heap
   * (`heapFields`, -1 for what it lacks) as soon as a sample was taken. Throws SAMPLER_LAYOUT_INVALID.
   */
  followCoroutines(pid: number, heap: BigInt64Array): void;
  /** Has to be called when the process has ended, before its pid is used again. */
  removeProcess(pid: number): void;
  /**
   * From now on it is looked at who waits in this target (an id as addTarget takes it) for longer than a time, and, in added
   * processes, by which stack. Again: changes the time. Throws OFFCPU_NO_BTF, OFFCPU_ATTACH_FAILED and SAMPLER_TARGETS_FULL.
   */
  addWaits(id: bigint, leastNs: bigint): void;
  /** What it waited until now still comes with the next take. With the last one nothing is left in the kernel. */
  removeWaits(id: bigint): void;
  /**
   * From now on it is counted what this target (an id as addTarget takes it) reads, writes and syncs. Of calls that last that long
   * and of all syncs, but not of what is received, stacks of added processes are taken. Again: changes the time. Throws
   * IO_NO_BTF, IO_ATTACH_FAILED and SAMPLER_TARGETS_FULL.
   */
  addIo(id: bigint, leastNs: bigint): void;
  /** What it did until now still comes with the next take. With the last one nothing is left in the kernel. */
  removeIo(id: bigint): void;
  /** From now on the batches tell when samples and waits of these targets were (ids as addTarget takes them), and of no others. */
  keepMoments(targets: ReadonlySet<bigint>): void;
  /** Everything aggregated since the last call; clears it. */
  take(): SampleBatch;
  counters(): SamplerCounters;
  /** Leaves nothing in the kernel. Safe to call twice; every other call then throws SAMPLER_CLOSED. */
  close(): void;
}

export interface UnwoundProcess {
  /** Of the initial pid namespace, as this process sees it too. */
  readonly pid: number;
  readonly layout?: BigInt64Array;
  /** What is copied of a stack at most; deeper ones lack their root. */
  readonly maxStackBytes?: number;
}

const MAX_FREQUENCY_HZ = 199; // a tick costs 9-16 µs on every CPU besides BPF: 0.3 % at this rate
const MIN_RING_BYTES = 4096; // the kernel wants whole pages
const MAX_RING_BYTES = 64 * 1024 * 1024;
const MAX_TARGETS = 65_536;
const MAX_PROCESSES = 65_536;
const DEFAULT_PROCESSES = 512;
const MAX_STACK_BYTES = 65_536; // FG_MAX_STACK_BYTES of bpf/cpu.h
const MIN_STACK_BYTES = 512;
const MAX_PID = 2 ** 22; // PID_MAX_LIMIT
const MAX_STACKS = 100_000; // 80 MB were every stack as deep as can be
const MAX_USER_FRAMES = 127; // FG_MAX_USER_FRAMES of bpf/cpu.h
const MAX_ID = 2n ** 64n - 1n;
// 250 bytes each in the kernel while anybody asks who waits; those beyond are counted and not seen.
const MAX_WAITING_THREADS = 8192;
const MAX_LEAST_NS = 10n ** 10n; // what lasts this long is longer than a window

/**
 * Loads the sampler and attaches it to every CPU that is online. Throws a SamplerError. Close it; one that is forgotten
 * is closed by the garbage collector.
 */
export function openSampler(options: SamplerOptions): Sampler {
  checkOptions(options);
  const objectPath = resolve(options.objectPath);
  if (!existsSync(objectPath)) {
    throw new SamplerError('BPF_OBJECT_MISSING', `there is no BPF object at ${objectPath}`);
  }
  const addon = loadAddon(resolve(options.addonPath));
  const handle = explained(() =>
    addon.open({
      objectPath,
      frequencyHz: options.frequencyHz,
      byPid: options.filter === 'pid',
      maxUserFrames: walkDepth(),
      ringBytes: options.ringBytes,
      maxTargets: options.maxTargets,
      maxProcesses: options.maxProcesses ?? DEFAULT_PROCESSES,
      maxStacks: options.maxStacks,
      measure: options.measure ?? false,
      cpus: onlineCpus(),
      offCpuObjectPath: resolve(options.offCpuObjectPath),
      maxWaitingThreads: MAX_WAITING_THREADS,
      ioObjectPath: resolve(options.ioObjectPath),
    }),
  );
  return {
    addTarget(id) {
      explained(() => addon.addTarget(handle, checkedId(id)));
    },
    removeTarget(id) {
      explained(() => addon.removeTarget(handle, checkedId(id)));
    },
    setFrequency(frequencyHz) {
      inRange('frequencyHz', frequencyHz, 1, MAX_FREQUENCY_HZ);
      explained(() => addon.setFrequency(handle, frequencyHz));
    },
    thin(id, part) {
      explained(() => addon.thin(handle, checkedId(id), checkedPart(part)));
    },
    addProcess(process) {
      const { pid, layout = NO_LAYOUT, maxStackBytes = MAX_STACK_BYTES } = process;
      inRange('pid', pid, 1, MAX_PID);
      inRange('maxStackBytes', maxStackBytes, MIN_STACK_BYTES, MAX_STACK_BYTES);
      if (layout.length > 0) {
        inRange('layout.length', layout.length, addon.layoutFields.length, addon.layoutFields.length);
      }
      explained(() => addon.addProcess(handle, pid, layout, maxStackBytes));
    },
    followCoroutines(pid, heap) {
      inRange('heap.length', heap.length, addon.heapFields.length, addon.heapFields.length);
      explained(() => addon.followCoroutines(handle, pid, heap));
    },
    removeProcess(pid) {
      inRange('pid', pid, 1, MAX_PID);
      explained(() => addon.removeProcess(handle, pid));
    },
    addWaits(id, leastNs) {
      explained(() => addon.addWaits(handle, checkedId(id), checkedLeast(leastNs)));
    },
    removeWaits(id) {
      explained(() => addon.removeWaits(handle, checkedId(id)));
    },
    addIo(id, leastNs) {
      explained(() => addon.addIo(handle, checkedId(id), checkedLeast(leastNs)));
    },
    removeIo(id) {
      explained(() => addon.removeIo(handle, checkedId(id)));
    },
    keepMoments(targets) {
      explained(() => addon.keepMoments(handle, BigUint64Array.from([...targets].map(checkedId))));
    },
    layoutFields: addon.layoutFields,
    heapFields: addon.heapFields,
    take: () => decodeBatch(explained(() => addon.take(handle))),
    counters: () => decodeCounters(explained(() => addon.counters(handle))),
    close() {
      addon.close(handle);
    },
  };
}

const NO_LAYOUT = new BigInt64Array(0);

/** How deep the kernel of this node walks a user stack; what is as deep counts as truncated. */
function walkDepth(): number {
  const limit = Number(readFileSync('/proc/sys/kernel/perf_event_max_stack', 'utf8'));
  return limit >= 1 ? Math.min(limit, MAX_USER_FRAMES) : MAX_USER_FRAMES;
}

function checkOptions(options: SamplerOptions): void {
  const { ringBytes } = options;
  inRange('frequencyHz', options.frequencyHz, 1, MAX_FREQUENCY_HZ);
  inRange('ringBytes', ringBytes, MIN_RING_BYTES, MAX_RING_BYTES);
  inRange('maxTargets', options.maxTargets, 1, MAX_TARGETS);
  inRange('maxProcesses', options.maxProcesses ?? DEFAULT_PROCESSES, 1, MAX_PROCESSES);
  inRange('maxStacks', options.maxStacks, 1, MAX_STACKS);
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

function checkedLeast(leastNs: bigint): bigint {
  if (leastNs >= 0n && leastNs <= MAX_LEAST_NS) return leastNs;
  throw new SamplerError('SAMPLER_BAD_OPTION', `leastNs is ${leastNs}, not 0 to ${MAX_LEAST_NS}`);
}

function checkedPart(part: number): number {
  if (part > 0 && part <= 1) return part;
  throw new SamplerError('SAMPLER_BAD_OPTION', `part is ${part}, not above 0 and at most 1`);
}

function checkedId(id: bigint): bigint {
  if (id >= 0n && id <= MAX_ID) return id;
  throw new SamplerError('SAMPLER_BAD_OPTION', `target ${id} is not a 64-bit id`);
}
