import type { JavaSamples } from '../profile/java-samples.ts';
import type { WindowStacks } from '../profile/shared-stacks.ts';
import type { RequestWindow } from '../requests/request-window.ts';

export type { StackCount } from '../profile/stack-counts.ts';

/** What one container of one pod burnt in one closed 10 s window. */
export interface PodWindow {
  /** Unique id of pod and container. */
  readonly pod: string;
  /** Event time of the node that sampled, not of the one that judges. */
  readonly startMs: number;
  readonly endMs: number;
  readonly podStartedAtMs: number;
  readonly samplesTaken: number;
  readonly samplesLost: number;
  readonly hz: number;
  readonly cpuUsec: number;
  readonly throttledUsec: number;
  /** Profiling flags of the JVM, '' when default. */
  readonly flags: string;
  /** Absent from windows of before they were told. */
  readonly host?: PodHost;
  /** Windows that share stacks, or at least arrays of frames, are judged faster. */
  readonly stacks: WindowStacks;
  /** Absent when nobody looked. */
  readonly java?: JavaSamples;
  /** Absent when nobody watched them. */
  readonly requests?: RequestWindow;
}

/** Where a container ran. */
export interface PodHost {
  /** The pod's name, as people know it. */
  readonly pod: string;
  readonly node: string;
  /** As /proc/cpuinfo has it; '' where it says nothing. */
  readonly cpuModel: string;
}
