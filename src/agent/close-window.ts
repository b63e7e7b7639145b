/** Makes one window of what was sampled: names it, folds it, and hands it over as a batch. */
import type { Sampler } from '../native/sampler.ts';
import type { KernelSymbols } from '../symbols/kallsyms.ts';
import type { Batch, PodWindow } from '../wire/batch-schema.ts';
import type { AttachQueue } from './attach-queue.ts';
import { pause } from './backoff.ts';
import { createBatchStacks } from './batch-stacks.ts';
import { dealTargets } from './dealt-targets.ts';
import { learnNames, metNatives } from './met-names.ts';
import type { NativeNames } from './native-names.ts';
import type { RequestHost } from './request-host.ts';
import type { SamplerFailure } from './sampler-host.ts';
import type { SinkHost } from './sink-host.ts';
import type { TrackedContainer } from './tracked-container.ts';
import type { WatchedContainers } from './watched-containers.ts';
import { foldIo } from './window-io.ts';
import { nameWindow, type WindowNames } from './window-names.ts';
import { type ContainerWindow, dealRows, foldWindow, timedSamplesOf, unnamedShares } from './window-pods.ts';
import { momentsByTarget } from './window-served.ts';
import { foldWaits, timedWaitsOf } from './window-waits.ts';

export interface WindowInput {
  readonly containers: WatchedContainers;
  readonly sampler: Sampler | undefined;
  readonly failure: SamplerFailure | undefined;
  /** Why it cannot be seen who waits. */
  readonly waitsFailure: SamplerFailure | undefined;
  /** Why it cannot be seen what is read and written. */
  readonly ioFailure: SamplerFailure | undefined;
  readonly kernel: KernelSymbols | undefined;
  readonly natives: NativeNames;
  readonly procRoot: string;
  readonly attaches: AttachQueue;
  readonly requests: Pick<RequestHost, 'take'>;
  readonly sinks: Pick<SinkHost, 'profileOf'>;
  /** Asked after the samples were taken: see tableShareOf. */
  readonly tableShare: () => number;
}

const ATTACH_WAIT_MS = 4_000; // of a window of 10 s; who is late gets the names with the next

/** Reads samples, usage and requests now, so that all cover the same time; the rest may take its time. */
export async function closeWindow(
  input: WindowInput,
): Promise<Pick<Batch, 'strings' | 'stacks' | 'places' | 'pods'>> {
  const samples = input.sampler?.take();
  const tableShare = input.tableShare();
  const requests = input.requests.take();
  const used = input.containers.all().map((container) => ({ container, usage: container.takeUsage() }));
  const windows = dealRows(samples, used);
  const all = input.containers.all();
  const waits = dealTargets(
    samples?.waits,
    all.filter(({ assigned }) => assigned.offCpu !== undefined),
  );
  const io = dealTargets(
    samples?.io,
    all.filter(({ assigned }) => assigned.io !== undefined),
  );
  if (samples) learnNames(samples, input.containers);
  await meetUnknown(windows);
  const names = nameWindow(samples?.addresses ?? new BigUint64Array(0), input);
  await refreshNames(windows, names, input.attaches);
  const waitNames = nameWindow(samples?.waits?.addresses ?? new BigUint64Array(0), input);
  const gated = windows.filter((window) => window.container.assigned.gated);
  const ioNames = nameWindow(samples?.io?.addresses ?? new BigUint64Array(0), input);
  const met = [
    ...metNatives(gated, names, input.procRoot),
    ...metNatives(waits, waitNames, input.procRoot),
    ...metNatives(io, ioNames, input.procRoot),
  ];
  await input.natives.learn(met, Date.now());

  const stacks = createBatchStacks();
  const moments = momentsByTarget(samples?.moments);
  const context = {
    ...{ names, stacks, nowMs: Date.now(), tableShare, requests, moments },
    profileOf: ({ assigned, frequencyHz }: TrackedContainer) => input.sinks.profileOf(assigned, frequencyHz),
  };
  const waitContext = {
    ...{ names: waitNames, stacks, failure: input.failure ?? input.waitsFailure },
    addresses: samples?.waits?.addresses ?? new BigUint64Array(0),
    moments: momentsByTarget(samples?.waits?.moments),
  };
  const ioContext = { names: ioNames, stacks, failure: input.failure ?? input.ioFailure };
  const waitsOf = new Map(waits.map((each) => [each.container, each]));
  const ioOf = new Map(io.map((each) => [each.container, each]));
  const pods = windows.map((window) => {
    const waited = waitsOf.get(window.container);
    const moved = ioOf.get(window.container);
    const pod = {
      ...foldWindow(window, context),
      ...(waited && { waiting: foldWaits(waited, waitContext) }),
      ...(moved && { io: foldIo(moved, ioContext) }),
    };
    const seen = requests.get(window.container.assigned.containerId);
    if (!seen) return pod;
    if (seen.window.state !== 'Seen') {
      seen.served.forget(seen.now);
      return pod;
    }
    const { samples: timed, unseen } = timedSamplesOf(window, context);
    const all = waited ? [...timed, ...timedWaitsOf(waited, waitContext)] : timed;
    return { ...pod, served: seen.served.fold(all, seen.now, { stacks, unseen }) };
  });
  input.containers.beginWindow();
  return {
    strings: stacks.strings,
    stacks: stacks.stacks,
    places: stacks.places,
    pods: pods.map((pod) => told(pod, input.failure)),
  };
}

/** Of what a node lost since the counters were last read, the share lost in the table of stacks. */
export function tableShareOf(lost: { ringFull: number; tableFull: number }): number {
  const all = lost.ringFull + lost.tableFull;
  return all === 0 ? 0 : lost.tableFull / all;
}

async function meetUnknown(windows: readonly ContainerWindow[]): Promise<void> {
  for (const { container, rows } of windows) {
    for (const pid of new Set(rows.map((row) => row.pid))) {
      if (!container.processes.has(pid)) await container.meet(pid);
    }
  }
}

/** First names, then folding: code that was compiled in this window is named in it. */
async function refreshNames(
  windows: readonly ContainerWindow[],
  names: WindowNames,
  attaches: AttachQueue,
): Promise<void> {
  for (const window of windows) {
    for (const [pid, share] of unnamedShares(window, names)) {
      const jvm = window.container.processes.get(pid)?.jvm;
      if (jvm?.needsNames(Date.now(), share)) attaches.add(jvm);
    }
  }
  const waited = new AbortController();
  await Promise.race([attaches.idle(), pause(ATTACH_WAIT_MS, waited.signal)]);
  waited.abort();
}

/** Why there are no samples, said where people look: at the pod. */
function told(pod: PodWindow, failure: SamplerFailure | undefined): PodWindow {
  if (!failure || pod.jvm.state === 'NoJvm' || pod.jvm.state === 'Gone') return pod;
  const message = `${failure.code}: ${failure.message}`.slice(0, 1024);
  const { leaf: _, coroutines: __, coroutinesReason: ___, ...jvm } = pod.jvm;
  return {
    ...pod,
    jvm: { ...jvm, state: 'AttachFailed', reason: 'SamplerNotOpen', message, symbols: 'Partial' },
  };
}
