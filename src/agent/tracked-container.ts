/** A container the agent was told to watch: its cgroup, its processes, and what it used in the current window. */
import type { AssignedContainer } from '../wire/assignment.ts';
import { codeOf } from './agent-error.ts';
import type { CgroupRoots } from './cgroup-roots.ts';
import { type CpuUsage, readCpuUsage, readPids } from './cgroup-usage.ts';
import { cgroupSubtree } from './container-cgroups.ts';
import type { JvmAccess } from './jvm.ts';
import { type JvmReport, withLive } from './jvm-report.ts';
import type { LiveSetter } from './live-setter.ts';
import { type TrackedProcess, trackProcess } from './tracked-process.ts';

export interface TrackedContainer {
  /** The latest assignment of it. */
  assigned: AssignedContainer;
  /** Samples per second and busy core of the window that is open, whatever is assigned for the next. */
  frequencyHz: number;
  /** Its cgroup's path below each hierarchy's root, once found. */
  relative: string | undefined;
  /** What the sampler is to watch for it now. */
  readonly targets: ReadonlySet<bigint>;
  /** Also those that ended since the window began. */
  readonly windowTargets: ReadonlySet<bigint>;
  readonly processes: ReadonlyMap<number, TrackedProcess>;
  /** Looks at its cgroup and processes. */
  refresh(nowMs: number): Promise<void>;
  /** The process of a sample, followed from now on. */
  meet(pid: number): Promise<TrackedProcess | undefined>;
  /** What was used since the last call, or since the container was met. */
  takeUsage(): CpuUsage;
  /** After its window was read: forgets what ended meanwhile. */
  beginWindow(): void;
  report(nowMs: number): JvmReport;
  close(): void;
}

export interface ContainerAccess extends Omit<JvmAccess, 'symbols'> {
  readonly roots: CgroupRoots;
  readonly live: Pick<LiveSetter, 'outcomeOf'>;
}

const NOTHING: CpuUsage = { cpuUsec: 0, throttledUsec: 0 };
const STARTING_MS = 10_000;
const MAX_PROCESSES = 256; // 64 are listed at a time; a shell loop in a container starts more in a window

export function trackContainer(
  first: AssignedContainer,
  frequencyHz: number,
  access: ContainerAccess,
): TrackedContainer {
  let targets = new Set<bigint>();
  let windowTargets = new Set<bigint>();
  const processes = new Map<number, TrackedProcess>();
  const usage = usageMeter();
  let found = false;

  const drop = (pid: number, process: TrackedProcess) => {
    process.jvm?.close();
    processes.delete(pid);
  };
  const meet = async (pid: number): Promise<TrackedProcess | undefined> => {
    const known = processes.get(pid);
    if (known?.isAlive() || processes.size >= MAX_PROCESSES) return known;
    const process = await trackProcess(pid, { ...access, symbols: () => container.assigned.symbols });
    if (process && known) drop(pid, known);
    if (process) processes.set(pid, process);
    return process ?? known;
  };
  const container: TrackedContainer = {
    assigned: first,
    frequencyHz,
    relative: undefined,
    get targets() {
      return targets;
    },
    get windowTargets() {
      return windowTargets;
    },
    processes,
    async refresh(nowMs) {
      if (container.relative === undefined) return;
      found = true;
      usage.read(readCpuUsage(access.roots, container.relative));
      const seen = lookInside(access.roots, container.relative);
      targets = seen.targets;
      windowTargets = new Set([...windowTargets, ...targets]);
      for (const pid of seen.pids) await (await meet(pid))?.look(nowMs);
    },
    meet,
    takeUsage() {
      if (container.relative !== undefined) usage.read(readCpuUsage(access.roots, container.relative));
      return usage.take();
    },
    beginWindow() {
      windowTargets = new Set(targets);
      for (const [pid, process] of processes) {
        if (process.isAlive()) process.age();
        else drop(pid, process);
      }
    },
    close() {
      for (const [pid, process] of processes) drop(pid, process);
    },
    report: (nowMs) => reportOf(container, { found, nowMs, live: access.live }),
  };
  return container;
}

/** Kept up to date between windows, so that the last reading counts when the cgroup is gone. */
function usageMeter() {
  let base: CpuUsage | undefined;
  let latest: CpuUsage | undefined;
  return {
    read(now: CpuUsage | undefined) {
      latest = now ?? latest;
      base ??= latest;
    },
    take(): CpuUsage {
      if (!base || !latest) return NOTHING;
      const used = {
        cpuUsec: Math.max(0, latest.cpuUsec - base.cpuUsec),
        throttledUsec: Math.max(0, latest.throttledUsec - base.throttledUsec),
      };
      base = latest;
      return used;
    },
  };
}

function lookInside(roots: CgroupRoots, relative: string): { targets: Set<bigint>; pids: readonly number[] } {
  if (roots.v2 === undefined) {
    const pids = readPids(`${roots.v1Accounting}${relative}`);
    return { pids, targets: new Set(pids.map(BigInt)) };
  }
  const subtree = cgroupSubtree(`${roots.v2}${relative}`);
  return { targets: new Set(subtree.map(({ id }) => id)), pids: subtree.flatMap(({ path }) => pidsOf(path)) };
}

/** A threaded child cgroup does not list processes; its parent does. */
function pidsOf(path: string): readonly number[] {
  try {
    return readPids(path);
  } catch (error) {
    if (codeOf(error) === 'EOPNOTSUPP') return [];
    throw error;
  }
}

function reportOf(
  container: TrackedContainer,
  { found, nowMs, live }: { found: boolean; nowMs: number; live: Pick<LiveSetter, 'outcomeOf'> },
): JvmReport {
  const jvms = [...container.processes.values()].filter((each) => each.jvm && each.isAlive());
  // the oldest is the service; others are tools that somebody started beside it
  const oldest = jvms.sort((a, b) => a.facts.startTicks - b.facts.startTicks)[0]?.jvm;
  if (oldest) {
    const { podUid, container: name } = container.assigned;
    const report = oldest.report();
    return withLive(report, live.outcomeOf(oldest.facts, podUid, name));
  }
  const none = { jdk: '', flags: [] };
  const young = nowMs - container.assigned.startedAtMs < STARTING_MS;
  if (found && container.targets.size === 0) {
    return {
      ...none,
      state: 'Gone',
      reason: 'ContainerEnded',
      message: 'the cgroup of the container is gone',
    };
  }
  if (young)
    return { ...none, state: 'Starting', reason: 'NoJvmYet', message: 'no process maps libjvm.so yet' };
  if (!found) {
    return { ...none, state: 'Gone', reason: 'CgroupNotFound', message: 'no cgroup bears the container id' };
  }
  const unreadable = [...container.processes.values()].find((each) => each.unreadable !== undefined);
  if (unreadable) {
    const message = `/proc/${unreadable.facts.pid}/maps: ${unreadable.unreadable}; it takes CAP_SYS_PTRACE`;
    return { ...none, state: 'AttachFailed', reason: 'MapsNotReadable', message };
  }
  return { ...none, state: 'NoJvm', reason: 'NoLibjvm', message: 'no process maps libjvm.so' };
}
