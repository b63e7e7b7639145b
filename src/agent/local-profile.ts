/** Processes of this machine, sampled for a while without controller or cluster: what `flamegate record --pid` keeps. */
import type { SampleBatch } from '../native/sample-batch.ts';
import { NOWHERE } from '../profile/place.ts';
import { mergeStacks, type StackCount } from '../profile/stack-counts.ts';
import type { KernelSymbols } from '../symbols/kallsyms.ts';
import { AgentError } from './agent-error.ts';
import { openAttachJournal } from './attach-journal.ts';
import { createAttachQueue } from './attach-queue.ts';
import { pause } from './backoff.ts';
import type { AgentConfig } from './config.ts';
import { fileNameStores } from './file-name-store.ts';
import type { JvmReport } from './jvm-report.ts';
import { readKernelSymbols } from './kernel-names.ts';
import type { AgentLog } from './log.ts';
import { learnNames, metNatives } from './met-names.ts';
import { createNativeNames } from './native-names.ts';
import { createSamplerHost } from './sampler-host.ts';
import { type TrackedProcess, trackProcess } from './tracked-process.ts';
import { nameWindow } from './window-names.ts';

export interface LocalProfile {
  /** Leaf first, with places; in no order. */
  readonly stacks: readonly StackCount[];
  readonly startMs: number;
  readonly endMs: number;
  /** Of each busy CPU, in a second. */
  readonly frequencyHz: number;
  /** Samples that became no stack: the ring or the table was full. */
  readonly lost: number;
  /** Samples whose stack lacks its root. */
  readonly truncated: number;
  /** Also JVMs that have ended, the first of them. */
  readonly processes: readonly LocalProcess[];
  /** How many more there were at a time than are sampled. */
  readonly unsampled: number;
}

export interface LocalProcess {
  readonly pid: number;
  /** Undefined of what is no JVM. */
  readonly jvm: JvmReport | undefined;
}

export interface LocalProfileOptions
  extends Pick<AgentConfig, 'addonPath' | 'objectPath' | 'offCpuObjectPath' | 'ioObjectPath' | 'procRoot'> {
  /** Whom to sample, asked each second: processes come and go. When there is none any more, it ends. */
  pids(): readonly number[];
  readonly frequencyHz: number;
  readonly durationMs: number;
  /** How often what was sampled is named; default 10 s, before the table of stacks is full. */
  readonly foldMs?: number;
  /** Told of what was sampled since the last time. */
  readonly folded?: (stacks: readonly StackCount[]) => void;
  /** Ends it early, whole. */
  readonly signal: AbortSignal;
  /** Of its own, for names on disk. */
  readonly directory: string;
  readonly log: AgentLog;
}

const LOOK_MS = 500; // a young JVM's tables are there after 160 ms
const FOLD_MS = 10_000;
const MAX_PROCESSES = 64;
const MAX_STACKS = 200_000; // some 200 MB were all of them deep; more are counted as lost

/** Throws LOCAL_SAMPLER_NOT_OPEN with the kernel's reason. */
export async function profileProcesses(options: LocalProfileOptions): Promise<LocalProfile> {
  const { procRoot, directory, log, frequencyHz, signal, foldMs = FOLD_MS } = options;
  const stores = fileNameStores(directory);
  const access = {
    ...{ procRoot, stores, attachAllowed: false, followCoroutines: true },
    journal: await openAttachJournal(`${directory}/attach`),
    symbols: () => 'Auto' as const,
  };
  const host = createSamplerHost({ ...options, filter: 'pid' });
  const attaches = createAttachQueue(() => undefined);
  const natives = createNativeNames();
  const processes = new Map<number, TrackedProcess>();
  const merged = createMerge();
  const ended: LocalProcess[] = [];
  let unsampled = 0;
  let kernel: KernelSymbols | undefined;

  const forget = (pid: number, { jvm }: TrackedProcess) => {
    if (jvm && ended.length < MAX_PROCESSES) ended.push({ pid, jvm: jvm.report() });
    jvm?.close();
    processes.delete(pid);
  };
  const look = async () => {
    const nowMs = Date.now();
    const there = options.pids();
    const pids = there.slice(0, MAX_PROCESSES);
    unsampled = Math.max(unsampled, there.length - pids.length);
    for (const pid of pids) {
      const known = processes.get(pid);
      if (!known?.isAlive()) {
        const process = await trackProcess(pid, access);
        if (process && known) forget(pid, known);
        if (process) processes.set(pid, process);
      }
      await processes.get(pid)?.look(nowMs);
    }
    const alive = pids.flatMap((pid) => processes.get(pid) ?? []);
    const jvms = alive.flatMap(({ jvm }) => jvm ?? []);
    host.unwind(jvms.flatMap(({ unwound }) => unwound ?? [])); // before they are sampled
    host.watch(new Map(pids.map((pid) => [BigInt(pid), frequencyHz])));
    for (const jvm of jvms) if (jvm.needsNames(nowMs, 0)) attaches.add(jvm);
    return pids.length > 0;
  };
  const fold = async () => {
    const samples = host.sampler?.take();
    if (!samples) return;
    const all = [{ processes }];
    learnNames(samples, { all: () => all });
    const names = nameWindow(samples.addresses, { kernel, natives });
    const met = metNatives([{ container: { processes }, rows: samples.rows }], names, procRoot);
    await natives.learn(met, Date.now());
    await attaches.idle();
    const added = merged.add(samples, (row) => names.stackOf(row, processes.get(row.pid)));
    options.folded?.(added); // not in the call: of nobody who listens its arguments are not worked out
    // Of what has ended nothing is sampled any more; a build starts thousands.
    for (const [pid, process] of processes) process.isAlive() ? process.age() : forget(pid, process);
  };

  host.ensure(frequencyHz, Date.now());
  if (!host.sampler) {
    const { code, message } = host.failure ?? { code: '', message: 'it was not opened' };
    throw new AgentError('LOCAL_SAMPLER_NOT_OPEN', `${code}: ${message}`);
  }
  try {
    await look(); // those that run have a layout before the first sample
    const startMs = Date.now();
    const endsMs = startMs + options.durationMs;
    let foldedMs = startMs;
    kernel = readKernelSymbols(procRoot, stores); // takes a second, while the first samples come in
    for (;;) {
      await pause(Math.max(0, Math.min(LOOK_MS, endsMs - Date.now())), signal);
      const isThere = await look();
      const nowMs = Date.now();
      const isOver = signal.aborted || nowMs >= endsMs || !isThere;
      if (isOver || nowMs - foldedMs >= foldMs) {
        await fold();
        foldedMs = nowMs;
      }
      if (isOver)
        return { ...merged.finish(), startMs, endMs: nowMs, frequencyHz, processes: reports(), unsampled };
    }
  } finally {
    host.close();
    await attaches.stop();
    for (const { jvm } of processes.values()) jvm?.close();
    log.debug({ processes: processes.size }, 'profile ended');
  }

  function reports(): readonly LocalProcess[] {
    return [...ended, ...Array.from(processes, ([pid, { jvm }]) => ({ pid, jvm: jvm?.report() }))];
  }
}

type StackOf = (row: SampleBatch['rows'][number]) => readonly { name: string; place: string }[];

/** Of many batches one profile. */
function createMerge() {
  let stacks: readonly StackCount[] = [];
  let lost = 0;
  let truncated = 0;
  return {
    /** What is new. */
    add(samples: SampleBatch, stackOf: StackOf): readonly StackCount[] {
      const added = samples.rows.map((row): StackCount => {
        const frames = stackOf(row);
        const places = frames.map(({ place }) => place);
        const names = frames.map(({ name }) => name);
        const isPlaced = places.some((place) => place !== NOWHERE);
        return { frames: names, count: row.count, ...(isPlaced && { places }) };
      });
      const all = mergeStacks(stacks, added);
      stacks = all.slice(0, MAX_STACKS);
      for (const { count } of all.slice(MAX_STACKS)) lost += count;
      for (const target of samples.targets) {
        lost += target.lost;
        truncated += target.truncated;
      }
      return added;
    },
    finish: () => ({ stacks, lost, truncated }),
  };
}
