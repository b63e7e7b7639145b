/** Keeps a sampler open while the node allows it: opens, changes its rate, tries again every 30 s. */
import { availableParallelism } from 'node:os';
import { openSampler, type Sampler } from '../native/sampler.ts';
import { codeOf, messageOf } from './agent-error.ts';
import type { AgentLog } from './log.ts';
import { createTargetWatch, type WatchedWay, type WatchFailure } from './target-watch.ts';

export type SamplerFailure = WatchFailure;

/** A JVM whose stacks the sampler unwinds. */
export interface UnwoundJvm {
  readonly pid: number;
  /** As the addon takes it. */
  readonly layout: BigInt64Array;
  /** As the addon takes it, to follow coroutines; undefined if they are not followed. */
  readonly heap: BigInt64Array | undefined;
  /** It is unwound from now on, and its frames are numbered anew. */
  begin(): void;
  /** It stays walked by frame pointers. */
  refused(failure: SamplerFailure): void;
}

export interface SamplerHost {
  /** Undefined while it cannot be opened; `failure` says why. */
  readonly sampler: Sampler | undefined;
  readonly failure: SamplerFailure | undefined;
  /** Times per second, of the sampler that is open. */
  readonly frequencyHz: number;
  /** Opens one whose clocks tick so often, or lets them from now on. True if it was opened. */
  ensure(frequencyHz: number, nowMs: number): boolean;
  /** Makes the sampler watch these and no others, each with so many of the clocks' ticks. */
  watch(targets: ReadonlyMap<bigint, number>): void;
  /** Why it cannot be seen who waits; undefined while it can, and while nobody asks. */
  readonly waitsFailure: SamplerFailure | undefined;
  /** Makes the sampler look who waits in these targets, by how long at least, and in no others; tries again every 30 s. */
  watchWaits(leastMs: ReadonlyMap<bigint, number>, nowMs: number): void;
  /** The same for what is read, written and synced: how long a slow call takes at least. */
  readonly ioFailure: SamplerFailure | undefined;
  watchIo(leastMs: ReadonlyMap<bigint, number>, nowMs: number): void;
  /** Makes the sampler tell when samples of these targets were, and of no others. */
  keepMoments(targets: ReadonlySet<bigint>): void;
  /** Makes the sampler unwind these and no others; each is one process for ever, so a pid used again is another. */
  unwind(jvms: readonly UnwoundJvm[]): void;
  close(): void;
}

export interface SamplerHostOptions {
  readonly objectPath: string;
  readonly addonPath: string;
  readonly offCpuObjectPath: string;
  readonly ioObjectPath: string;
  readonly filter: 'cgroup' | 'pid';
  readonly log: AgentLog;
}

const RETRY_MS = 30_000;
const MAX_TARGETS = 4096; // 512 containers with child cgroups or processes; an entry is made when it is used
const MAX_STACKS = 20_000; // two busy CPUs at 49 Hz give 980 samples a window; 20 000 stacks are 16 MB at the worst
const MAX_PROCESSES = 512; // as many as there are containers; 24 bytes each in the kernel
const DEEPEST_RECORD_BYTES = 66_272; // struct fg_cpu_stack without its last page; half of the stacks seen take 6.5 KB
// The ring is emptied every 25 ms while stacks are copied: twice the room of the deepest stacks, 20 times that of the usual.
const ROOM_SECONDS = 0.05;
// Sized by the rate of the opening: at four times that, the usual stacks still have five times the room they need.
const MIN_RING_BYTES = 256 * 1024;
// A ring's pages count twice in the agent's resident memory, and CPUs are not all busy with watched JVMs.
const MAX_RING_BYTES = 4 * 1024 * 1024;

const WAITS: WatchedWay = {
  add: (sampler, id, leastNs) => sampler.addWaits(id, leastNs),
  remove: (sampler, id) => sampler.removeWaits(id),
  failed: 'waits not watched',
};
const IO: WatchedWay = {
  add: (sampler, id, leastNs) => sampler.addIo(id, leastNs),
  remove: (sampler, id) => sampler.removeIo(id),
  failed: 'reads and writes not watched',
};

export function createSamplerHost(options: SamplerHostOptions): SamplerHost {
  let sampler: Sampler | undefined;
  let failure: SamplerFailure | undefined;
  let frequencyHz = 0;
  let triedMs = Number.NEGATIVE_INFINITY;
  const watched = new Map<bigint, number>(); // the part of the ticks
  let timed: ReadonlySet<bigint> = new Set();
  const unwound = new Map<number, UnwoundJvm>();
  const waits = createTargetWatch(WAITS, options.log);
  const io = createTargetWatch(IO, options.log);

  const close = () => {
    sampler?.close();
    sampler = undefined;
    watched.clear();
    timed = new Set();
    unwound.clear();
    waits.forget();
    io.forget();
  };
  const add = (to: Sampler, jvm: UnwoundJvm) => {
    try {
      to.addProcess(jvm);
      unwound.set(jvm.pid, jvm);
      jvm.begin();
    } catch (error) {
      jvm.refused({ code: codeOf(error), message: messageOf(error) });
      return;
    }
    try {
      if (jvm.heap) to.followCoroutines(jvm.pid, jvm.heap);
    } catch (error) {
      options.log.warn({ err: error, pid: jvm.pid }, 'coroutines not followed');
    }
  };
  const open = (hz: number): boolean => {
    const { objectPath, addonPath, offCpuObjectPath, ioObjectPath, filter } = options;
    const paths = { objectPath, addonPath, offCpuObjectPath, ioObjectPath };
    const sizes = {
      ringBytes: ringBytesFor(hz, availableParallelism()),
      maxTargets: MAX_TARGETS,
      maxProcesses: MAX_PROCESSES,
      maxStacks: MAX_STACKS,
    };
    try {
      sampler = openSampler({ ...paths, filter, frequencyHz: hz, ...sizes, measure: true });
      failure = undefined;
      options.log.info({ frequencyHz: hz, filter, ringBytes: sizes.ringBytes }, 'sampler opened');
      return true;
    } catch (error) {
      failure = { code: codeOf(error), message: messageOf(error) };
      options.log.error({ err: error, retryMs: RETRY_MS }, 'sampler not opened');
      return false;
    }
  };
  return {
    get sampler() {
      return sampler;
    },
    get failure() {
      return failure;
    },
    get waitsFailure() {
      return waits.failure;
    },
    get ioFailure() {
      return io.failure;
    },
    watchWaits(leastMs, nowMs) {
      waits.follow(sampler, leastMs, nowMs);
    },
    watchIo(leastMs, nowMs) {
      io.follow(sampler, leastMs, nowMs);
    },
    get frequencyHz() {
      return frequencyHz;
    },
    ensure(hz, nowMs) {
      if (sampler) {
        if (hz === frequencyHz) return false;
        sampler.setFrequency(hz);
        frequencyHz = hz;
        options.log.info({ frequencyHz: hz }, 'sampling rate changed');
        return false;
      }
      if (hz === frequencyHz && nowMs - triedMs < RETRY_MS) return false;
      frequencyHz = hz;
      triedMs = nowMs;
      return open(hz);
    },
    watch(targets) {
      if (!sampler) return;
      for (const id of watched.keys()) {
        if (targets.has(id)) continue;
        sampler.removeTarget(id);
        watched.delete(id);
      }
      for (const [id, hz] of targets) {
        const part = Math.min(1, hz / frequencyHz);
        if (watched.get(id) === part) continue;
        if (!watched.has(id)) sampler.addTarget(id);
        sampler.thin(id, part);
        watched.set(id, part);
      }
    },
    keepMoments(targets) {
      if (!sampler || (targets.size === timed.size && [...targets].every((id) => timed.has(id)))) return;
      sampler.keepMoments(targets);
      timed = targets;
    },
    unwind(jvms) {
      if (!sampler) return;
      const wanted = new Map(jvms.map((jvm) => [jvm.pid, jvm]));
      for (const [pid, jvm] of unwound) {
        if (wanted.get(pid) === jvm) continue;
        sampler.removeProcess(pid);
        unwound.delete(pid);
      }
      for (const [pid, jvm] of wanted) if (!unwound.has(pid)) add(sampler, jvm);
    },
    close,
  };
}

/** A power of two that holds the deepest stacks of every CPU until the ring is emptied. */
export function ringBytesFor(hz: number, cpus: number): number {
  const needed = hz * cpus * ROOM_SECONDS * DEEPEST_RECORD_BYTES;
  return Math.min(MAX_RING_BYTES, Math.max(MIN_RING_BYTES, 2 ** Math.ceil(Math.log2(needed))));
}
