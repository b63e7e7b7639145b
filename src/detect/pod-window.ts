import type { JavaSamples } from '../profile/java-samples.ts';
import type { RequestWindow } from '../requests/request-window.ts';

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
  readonly stacks: readonly StackCount[];
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

export interface StackCount {
  /** Leaf first. Windows that share one array for the same stack are judged faster. */
  readonly frames: readonly string[];
  readonly count: number;
  /** Where each of the frames stood; no verdict looks at it. */
  readonly places?: readonly string[];
}
