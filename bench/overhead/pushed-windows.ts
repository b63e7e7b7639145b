/** What the agent pushed, added up: whether it really profiled while its cost was measured. Pure. */
import type { Batch, PodWindow } from '../../src/wire/batch-schema.ts';

export interface PushedWindows {
  /** With samples of a service. */
  readonly windows: number;
  /** Of these, with the JVM Profiled. */
  readonly profiled: number;
  readonly samples: number;
  /** Samples that never became a stack. */
  readonly lost: number;
  /** Samples whose stack has a method of the service or of what it stands on. */
  readonly named: number;
  /** What the agent said last of the JVM. */
  readonly jvm: PodWindow['jvm'] | null;
}

export const NOTHING_PUSHED: PushedWindows = {
  ...{ windows: 0, profiled: 0, samples: 0, lost: 0, named: 0 },
  jvm: null,
};
const OF_THE_SERVICE = /^(shop|kotlinx?|io\.(ktor|netty)|java)\./;

export function addBatch(before: PushedWindows, batch: Batch): PushedWindows {
  const pod = batch.pods[0];
  if (!pod || pod.samples === 0) return { ...before, jvm: pod?.jvm ?? before.jvm };
  return {
    windows: before.windows + 1,
    profiled: before.profiled + (pod.jvm.state === 'Profiled' ? 1 : 0),
    samples: before.samples + pod.samples,
    lost: before.lost + pod.losses.ringFull + pod.losses.tableFull,
    named: before.named + namedSamples(batch, pod),
    jvm: pod.jvm,
  };
}

function namedSamples(batch: Batch, pod: PodWindow): number {
  const isNamed = batch.stacks.map((stack) =>
    stack.some((name) => OF_THE_SERVICE.test(batch.strings[name] ?? '')),
  );
  return pod.counts.reduce((sum, [stack, count]) => sum + (isNamed[stack] ? count : 0), 0);
}
