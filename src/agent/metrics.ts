import { Counter, Gauge, Registry } from 'prom-client';

/** What the agent says of itself to Prometheus. */
export interface AgentMetrics {
  readonly registry: Registry;
  readonly samples: Counter;
  readonly lost: Counter;
  readonly windows: Counter;
  readonly windowsDropped: Gauge;
  readonly pushes: Counter;
  readonly assignmentFailures: Counter;
  readonly attaches: Counter;
  readonly failures: Counter;
  readonly containers: Gauge;
  readonly jvms: Gauge;
  readonly kernelSymbols: Gauge;
  readonly samplerOpen: Gauge;
  readonly spoolBytes: Gauge;
}

export function createMetrics(): AgentMetrics {
  const registry = new Registry();
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `flamegate_agent_${name}`, help, labelNames, registers: [registry] });
  const gauge = (name: string, help: string, collect?: () => number) =>
    new Gauge({
      name: `flamegate_agent_${name}`,
      help,
      registers: [registry],
      ...(collect && {
        collect() {
          this.set(collect());
        },
      }),
    });
  gauge('cpu_seconds', 'CPU time of the agent.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('resident_bytes', 'Resident memory of the agent.', () => process.memoryUsage.rss());
  return {
    registry,
    samples: counter('samples_total', 'Samples of watched containers.'),
    lost: counter('samples_lost_total', 'Samples without a whole named stack, by cause.', ['cause']),
    windows: counter('windows_total', 'Windows written to the spool.'),
    windowsDropped: gauge('windows_dropped', 'Windows that were never sent, since the start.'),
    pushes: counter('pushes_total', 'Batches by what became of them.', ['result', 'code']),
    assignmentFailures: counter('assignment_failures_total', 'Assignments that could not be had.', ['code']),
    attaches: counter('attaches_total', 'Requests for names by outcome.', ['outcome']),
    failures: counter('failures_total', 'Looks at the node and windows that failed.', ['code']),
    containers: gauge('containers', 'Containers that are watched.'),
    jvms: gauge('jvms', 'JVMs in them.'),
    kernelSymbols: gauge(
      'kernel_symbols',
      'Kernel functions with a name; 0 if the kernel hides its addresses.',
    ),
    samplerOpen: gauge('sampler_open', '1 while sampling works.'),
    spoolBytes: gauge('spool_bytes', 'Bytes on disk.'),
  };
}
