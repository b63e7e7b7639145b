/** Loads what sends to sinks once the install has one: most nodes pay nothing for it. */
import type { PprofWriter } from '../profile/pprof-writer.ts';
import type { AssignedContainer } from '../wire/assignment.ts';
import type { AgentSinks, SinkReport } from '../wire/sinks.ts';
import type { Family } from './exposition.ts';
import type { AgentLog } from './log.ts';
import type { RunningSinks } from './running-sinks.ts';

export interface SinkHost {
  /** From now on; undefined: nowhere, and what waits is lost. */
  sendTo(sinks: AgentSinks | undefined): void;
  /** Where the samples of a container's window go besides; undefined: nowhere. */
  profileOf(container: AssignedContainer, hz: number): Pick<PprofWriter, 'add'> | undefined;
  /** All samples of the window were added. */
  windowClosed(startMs: number, endMs: number): void;
  reports(): readonly SinkReport[];
  /** Sends what waits once more, until the signal is aborted. */
  stop(last: AbortSignal): Promise<void>;
}

export interface SinkHostOptions {
  readonly nodeName: string;
  readonly credentialsDirectory: string;
  /** What sinks of metrics are sent. */
  readonly families: () => Iterable<Family>;
  readonly log: Pick<AgentLog, 'warn'>;
  readonly now: () => number;
  readonly random: () => number;
  readonly randomBytes: (bytes: number) => Buffer;
}

export function createSinkHost(options: SinkHostOptions): SinkHost {
  let running: RunningSinks | undefined;
  let wanted: AgentSinks | undefined;
  let loading: Promise<void> | undefined;
  const startedMs = options.now();
  const load = async (): Promise<void> => {
    const { startSinks } = await import('./running-sinks.ts');
    running = startSinks(options, startedMs);
    running.sendTo(wanted);
  };
  return {
    sendTo(sinks) {
      wanted = sinks;
      const isWanted = sinks !== undefined && sinks.profiles.length + sinks.metrics.length > 0;
      if (running) running.sendTo(sinks);
      else if (isWanted) loading ??= load();
    },
    profileOf: (container, hz) => running?.profileOf(container, hz),
    windowClosed(startMs, endMs) {
      running?.windowClosed(startMs, endMs);
    },
    reports: () => running?.reports() ?? [],
    async stop(last) {
      await loading;
      await running?.stop(last);
    },
  };
}
