/** The agent's loop: looks at the node every two seconds and closes a window at each multiple of its length (window-length.ts). */
import type { KernelSymbols } from '../symbols/kallsyms.ts';
import { type Assignment, clockHzOf } from '../wire/assignment.ts';
import type { Batch } from '../wire/batch-schema.ts';
import { codeOf } from './agent-error.ts';
import { noteAttach, noteNaming, noteUnwinding, noteWindow } from './agent-notes.ts';
import { createAttachQueue } from './attach-queue.ts';
import { pause } from './backoff.ts';
import { closeWindow, tableShareOf } from './close-window.ts';
import type { AgentConfig } from './config.ts';
import { readCpuModel } from './cpu-model.ts';
import type { NameStores } from './file-name-store.ts';
import type { Jvm } from './jvm.ts';
import { readKernelSymbols } from './kernel-names.ts';
import type { LiveSetter } from './live-setter.ts';
import type { AgentLog } from './log.ts';
import { learnNames } from './met-names.ts';
import type { AgentMetrics } from './metrics.ts';
import { createNativeNames } from './native-names.ts';
import type { RequestHost } from './request-host.ts';
import type { SamplerHost, UnwoundJvm } from './sampler-host.ts';
import { measureSelf } from './self-usage.ts';
import type { SinkHost } from './sink-host.ts';
import type { Spool } from './spool.ts';
import type { WatchedContainers } from './watched-containers.ts';
import { createWindowClock, type EndedWindow } from './window-clock.ts';
import { SHORT_WINDOW_MS, windowLength } from './window-length.ts';

export interface NodeAgentParts {
  readonly config: AgentConfig;
  readonly boot: string;
  readonly containers: WatchedContainers;
  readonly live: LiveSetter;
  readonly host: SamplerHost;
  readonly requests: RequestHost;
  readonly spool: Spool;
  readonly sinks: SinkHost;
  readonly stores: NameStores;
  readonly metrics: AgentMetrics;
  readonly log: AgentLog;
  /** A window is in the spool. */
  windowClosed(windowMs: number): void;
}

export interface NodeAgent {
  assign(assignment: Assignment): void;
  /** Until the signal is aborted; then closes the window that is open. */
  run(signal: AbortSignal): Promise<void>;
  readonly lastLookMs: number;
}

const LOOK_MS = 2_000;
const FAILED_PAUSE_MS = 1_000;
const WIRE_VERSION = 1; // src/wire/batch-schema.ts, of which only types may be loaded here

export function createNodeAgent(parts: NodeAgentParts): NodeAgent {
  const { containers, live, host, requests, sinks, metrics, log } = parts;
  const attaches = createAttachQueue((jvm) => noteAttach(jvm, parts));
  const natives = createNativeNames();
  const self = measureSelf();
  let assignment: Assignment | undefined;
  let kernel: KernelSymbols | undefined;
  let sequence = 0;
  const cpuModel = readCpuModel(parts.config.procRoot);
  let late = 0;
  let lastLookMs = Date.now();
  let lostBefore = { ringFull: 0, tableFull: 0 };
  let samplesPerSecond = 0; // of the window before
  let wake = new AbortController();
  const told = new WeakMap<Jvm, string>();

  const look = async (nowMs: number) => {
    lastLookMs = nowMs;
    if (!assignment) return;
    containers.assign(assignment);
    await containers.refresh(nowMs);
    tellLive(containers, live);
    if (!host.sampler && containers.targets().size > 0 && host.ensure(clockHzOf(assignment), nowMs)) {
      containers.tune(host.frequencyHz);
      for (const container of containers.all()) container.takeUsage(); // from before the first sample
    }
    const targets = containers.targets();
    const jvms = jvmsOf(containers);
    host.unwind(unwoundOf(jvms)); // before it is watched: no sample of it is walked in vain
    host.watch(targets);
    host.watchWaits(containers.waits(), nowMs);
    host.watchIo(containers.io(), nowMs);
    requests.watch(containers.all(), nowMs);
    host.keepMoments(requests.isOpen ? containers.served() : new Set());
    for (const jvm of jvms) {
      if (jvm.needsNames(nowMs, 0)) attaches.add(jvm);
      noteNaming(jvm, told, log);
    }
    if (host.sampler) kernel ??= readKernel(parts); // takes a second or two, while the first samples come in
    notePresence(parts, jvms.length, kernel);
  };
  const lostSince = () => {
    const counters = host.sampler?.counters();
    const now = { ringFull: counters?.total.ringFull ?? 0, tableFull: counters?.tableFull ?? 0 };
    const before = lostBefore;
    lostBefore = now;
    return {
      ringFull: Math.max(0, now.ringFull - before.ringFull),
      tableFull: Math.max(0, now.tableFull - before.tableFull),
    };
  };
  const close = async (startMs: number, endMs: number) => {
    const { sampler, failure, waitsFailure, ioFailure } = host;
    const folded = await closeWindow({
      ...{
        containers,
        sampler,
        failure,
        waitsFailure,
        ioFailure,
        kernel,
        natives,
        attaches,
        requests,
        sinks,
      },
      procRoot: parts.config.procRoot,
      tableShare: () => tableShareOf(lostSince()),
    });
    sinks.windowClosed(startMs, endMs);
    const sending = [...sinks.reports()];
    const agent = {
      version: parts.config.version,
      windowsDropped: parts.spool.dropped + late,
      ...(sending.length === 0 ? {} : { sinks: sending }),
      ...self.take(sampler),
    };
    const head = {
      version: WIRE_VERSION,
      node: parts.config.nodeName,
      ...(cpuModel === undefined ? {} : { cpuModel }),
      boot: parts.boot,
      sequence: sequence++,
    } as const;
    const batch: Batch = { ...head, startMs, endMs, agent, ...folded };
    const samples = batch.pods.reduce((sum, pod) => sum + pod.samples, 0);
    samplesPerSecond = (1_000 * samples) / (endMs - startMs);
    late++; // until it is written
    await parts.spool.add(batch, Date.now());
    late--;
    noteWindow(batch, parts);
    noteUnwinding(sampler, metrics);
    parts.windowClosed(endMs - startMs);
  };
  const windowMs = (nowMs: number): number =>
    windowLength({
      assignedMs: assignment?.windowMs ?? SHORT_WINDOW_MS,
      newestMetMs: containers.newestMetMs,
      ...{ samplesPerSecond, nowMs },
    });
  /** What was sampled until now belongs to no window. */
  const discard = () => {
    const samples = host.sampler?.take();
    if (samples) learnNames(samples, containers); // they are not told again
    for (const { served, now } of requests.take().values()) served.forget(now);
    for (const container of containers.all()) container.takeUsage();
    containers.beginWindow();
  };
  /** Between windows, so that no window has two rates. */
  const retune = (nowMs: number) => {
    if (!assignment || !host.sampler) return;
    if (assignment.containers.length === 0) host.close();
    else {
      containers.assign(assignment);
      host.ensure(clockHzOf(assignment), nowMs);
      containers.tune(host.frequencyHz);
      host.watch(containers.targets());
    }
  };
  /** From one window to the next. */
  const turn = async ({ startMs, endMs, whole, missed }: EndedWindow) => {
    late += missed;
    if (whole && assignment) await close(startMs, endMs);
    else discard();
    retune(Date.now());
  };

  return {
    assign(next) {
      assignment = next;
      live.assign(next);
      wake.abort();
    },
    get lastLookMs() {
      return lastLookMs;
    },
    async run(signal) {
      const clock = createWindowClock(Date.now(), windowMs(Date.now()));
      while (!signal.aborted) {
        try {
          const nowMs = Date.now();
          const ended = clock.turn(nowMs, windowMs(nowMs));
          if (ended) await turn(ended);
          await look(Date.now());
        } catch (error) {
          metrics.failures.inc({ code: codeOf(error) });
          log.error({ err: error, code: codeOf(error) }, 'a look at the node failed');
          await pause(FAILED_PAUSE_MS, signal);
        }
        const restMs = Math.max(0, Math.min(clock.boundaryMs - Date.now(), LOOK_MS));
        await pause(restMs, AbortSignal.any([signal, wake.signal]));
        wake = new AbortController();
      }
      await Promise.all([attaches.stop(), live.stop()]);
      const last = clock.openSinceMs;
      if (last !== undefined && assignment) await close(last, Date.now());
      host.close();
      requests.close();
      log.info({ sequence }, 'agent stopped');
    },
  };

  function notePresence({ spool }: NodeAgentParts, jvms: number, symbols: KernelSymbols | undefined): void {
    metrics.containers.set(containers.all().length);
    metrics.jvms.set(jvms);
    metrics.samplerOpen.set(host.sampler ? 1 : 0);
    metrics.requestsOpen.set(requests.isOpen ? 1 : 0);
    metrics.kernelSymbols.set(symbols?.symbols ?? 0);
    metrics.windowsDropped.set(spool.dropped + late);
    metrics.spoolBytes.set(spool.entries().reduce((total, entry) => total + entry.bytes, 0));
  }
}

function readKernel({ config, stores, log }: NodeAgentParts): KernelSymbols | undefined {
  const kernel = readKernelSymbols(config.procRoot, stores);
  if (kernel?.hidden)
    log.warn({}, 'the kernel hides its addresses: kernel frames stay [kernel]; CAP_SYSLOG shows them');
  return kernel;
}

/** Of processes that are alive; others stay only until their window is read. */
function jvmsOf(containers: WatchedContainers): readonly Jvm[] {
  const processes = containers.all().flatMap((container) => [...container.processes.values()]);
  return processes.flatMap(({ jvm, isAlive }) => (jvm && isAlive() ? [jvm] : []));
}

/** JVMs whose beginning was not seen. */
function tellLive(containers: WatchedContainers, live: LiveSetter): void {
  for (const { assigned, processes } of containers.all()) {
    for (const { jvm, isAlive } of processes.values()) {
      if (jvm && isAlive()) live.found(jvm.facts, assigned.podUid, assigned.container);
    }
  }
}

function unwoundOf(jvms: readonly Jvm[]): readonly UnwoundJvm[] {
  return jvms.flatMap(({ unwound }) => (unwound ? [unwound] : []));
}
