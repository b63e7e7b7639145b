import type { SinkReport } from '../wire/sinks.ts';
import { createExposition, type Family, type Metric, type NumberSample } from './exposition.ts';
import { createIoSeries, type IoSeries } from './io-series.ts';
import type { RequestDurations } from './request-durations.ts';
import { sinkFailing, sinkItems } from './sink-series.ts';

/** What the agent says to Prometheus: of itself, and of the requests it sees. */
export interface AgentMetrics {
  /** The page Prometheus reads. */
  families(): Iterable<Family>;
  readonly samples: Metric;
  readonly lost: Metric;
  readonly unwound: Metric;
  readonly resumed: Metric;
  readonly waits: Metric;
  readonly windows: Metric;
  readonly windowsDropped: Metric;
  readonly pushes: Metric;
  readonly assignmentFailures: Metric;
  readonly attaches: Metric;
  readonly live: Metric;
  readonly failures: Metric;
  readonly containers: Metric;
  readonly jvms: Metric;
  readonly kernelSymbols: Metric;
  readonly samplerOpen: Metric;
  readonly requests: Metric;
  readonly requestsLost: Metric;
  readonly requestsOpen: Metric;
  readonly spans: Metric;
  readonly spoolBytes: Metric;
  readonly io: IoSeries;
}

export function createMetrics(
  durations: RequestDurations,
  sinks: () => readonly SinkReport[] = () => [],
): AgentMetrics {
  const page = createExposition();
  const counter = (name: string, help: string, read?: () => number) =>
    page.counter(`flamegate_agent_${name}`, help, read);
  const gauge = (name: string, help: string, read?: () => number) =>
    page.gauge(`flamegate_agent_${name}`, help, read);
  gauge('cpu_seconds', 'CPU time of the agent.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('resident_bytes', 'Resident memory of the agent.', () => process.memoryUsage.rss());
  gauge(
    'request_series',
    'Series of http_server_request_duration_seconds and rpc_server_duration_milliseconds.',
    () => durations.series,
  );
  counter(
    'requests_without_series_total',
    'Requests beyond the bound on series; they are in the series otel_metric_overflow="true".',
    () => durations.overflowed,
  );
  page.histogram(
    'http_server_request_duration_seconds',
    'Duration of HTTP server requests, seen at the sockets, from the first byte of the request to the last of the answer.',
    () => durations.http(),
  );
  page.histogram(
    'rpc_server_duration_milliseconds',
    'Duration of calls of gRPC, seen at the sockets, from the first byte of the call to the last of its answer.',
    () => durations.rpc(),
  );
  page.gauges(
    'flamegate_requests_counted_since_seconds',
    'When the request series of a container began to count, since 1970: present for as long as they do.',
    () => durations.countedSince(),
  );
  page.counters(
    'flamegate_requests_counted_total',
    'Requests of a container that are in its series of http_server_request_duration_seconds and rpc_server_duration_milliseconds.',
    () => durations.counted(),
  );
  page.counters(
    'flamegate_requests_lost_total',
    'Requests of a container that are in no series of its own: lost on the way, or without room for one.',
    () => durations.lost(),
  );
  const io = createIoSeries();
  page.counters('flamegate_io_calls_total', 'Calls that read, wrote or synced, by kind.', () =>
    io.samples('calls'),
  );
  page.counters('flamegate_io_failed_total', 'Such calls that failed.', () => io.samples('failed'));
  page.counters('flamegate_io_bytes_total', 'Bytes read and written.', () => io.samples('bytes'));
  page.counters('flamegate_io_seconds_total', 'What the calls took together.', () =>
    inSeconds(io.samples('ns')),
  );
  page.counters(
    'flamegate_sink_items_total',
    'Profiles, or batches of series, for each sink of the settings, by what became of them: sent, refused, lost.',
    () => sinkItems(sinks()),
  );
  page.gauges('flamegate_sink_failing', '1 while nothing goes to a sink.', () => sinkFailing(sinks()));
  return {
    io,
    families: page.families,
    samples: counter('samples_total', 'Samples of watched containers.'),
    lost: counter('samples_lost_total', 'Samples without a whole named stack, by cause.'),
    unwound: counter('stacks_unwound_total', 'Stacks of JVMs unwound here: complete, or by what they lack.'),
    resumed: counter(
      'coroutines_resumed_total',
      'Resumed coroutines on stacks: with their callers (chain), or by why without.',
    ),
    waits: counter(
      'waits_total',
      'Waits looked at: with their stack, moved (ended meanwhile), or noRoom (switches of threads beyond the bound).',
    ),
    windows: counter('windows_total', 'Windows written to the spool.'),
    windowsDropped: gauge('windows_dropped', 'Windows that were never sent, since the start.'),
    pushes: counter('pushes_total', 'Batches by what became of them.'),
    assignmentFailures: counter('assignment_failures_total', 'Assignments that could not be had.'),
    attaches: counter('attaches_total', 'Requests for names by outcome.'),
    live: counter('live_jvms_total', 'JVMs met for mode Live, by what became of the flag and why.'),
    failures: counter('failures_total', 'Looks at the node and windows that failed.'),
    containers: gauge('containers', 'Containers that are watched.'),
    jvms: gauge('jvms', 'JVMs in them.'),
    kernelSymbols: gauge(
      'kernel_symbols',
      'Kernel functions with a name; 0 if the kernel hides its addresses.',
    ),
    samplerOpen: gauge('sampler_open', '1 while sampling works.'),
    requests: counter('requests_total', 'HTTP requests of containers whose requests are watched.'),
    requestsLost: counter(
      'requests_lost_total',
      'Requests of which nothing is known but that they were lost.',
    ),
    requestsOpen: gauge('requests_open', '1 while requests of any container are watched.'),
    spans: counter('spans_total', 'Spans of requests by what became of them: sent, refused, lost.'),
    spoolBytes: gauge('spool_bytes', 'Bytes on disk.'),
  };
}

function* inSeconds(samples: Iterable<NumberSample>): Iterable<NumberSample> {
  for (const { labels, value } of samples) yield { labels, value: value / 1e9 };
}
