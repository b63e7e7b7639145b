/** The last thing each agent said of itself and of every container it watches. Memory only: agents repeat themselves. */
import type { IoWindow } from '../profile/io-window.ts';
import type { WaitingWindow } from '../profile/waiting-window.ts';
import type { RequestWindow } from '../requests/request-window.ts';
import type { Batch, PodWindow } from '../wire/batch-schema.ts';
import type { SinkReport } from '../wire/sinks.ts';

export interface AgentState {
  readonly node: string;
  readonly reportedAtMs: number;
  readonly cpuPercentOfCore: number;
  readonly rssBytes: number;
  readonly samplesPerSecond: number;
  readonly lostShare: number;
  readonly sinks: readonly SinkReport[];
}

export interface ContainerState {
  readonly reportedAtMs: number;
  readonly window: Omit<PodWindow, 'counts' | 'served' | 'requests' | 'waiting' | 'io'> & {
    readonly requests?: Pick<RequestWindow, 'state' | 'reason' | 'message'>;
    /** `blocked`: of the last five minutes, each call as it was seen last. */
    readonly waiting?: Pick<WaitingWindow, 'state' | 'reason' | 'message' | 'blocked'>;
    /** `functions`: of the last five minutes, each as it was seen last. */
    readonly io?: Pick<IoWindow, 'state' | 'reason' | 'message' | 'totals' | 'functions'> & {
      readonly windowMs: number;
    };
  };
}

/** All but its names and stacks. */
export type ReportedBatch = Omit<Batch, 'stacks' | 'places' | 'strings'>;

export interface AgentReports {
  record(batch: ReportedBatch, nowMs: number): void;
  agents(): readonly AgentState[];
  container(podUid: string, container: string): ContainerState | undefined;
}
