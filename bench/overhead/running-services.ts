/** The services of a run, started one after another, with what they export to. */
import { statSync } from 'node:fs';
import { startExportSink } from './export-sink.ts';
import type { Deliveries } from './problems.ts';
import { type Program, type Service, startService } from './service.ts';
import { type Variant, type VariantName, variantsOf } from './variants.ts';

export interface RunningService extends Service {
  readonly variant: Variant;
}

export interface RunningServices {
  readonly services: readonly RunningService[];
  /** What came from the agents inside; that of async-profiler is whole once its service is stopped. */
  delivered(): Omit<Deliveries, 'flamegate'>;
}

export interface StartOptions {
  /** Directory of bench/overhead/agents/fetch.sh. */
  readonly agents: string;
  readonly program: Program;
  readonly started: AsyncDisposableStack;
}

/** They end with `started`; each is told of once it answers. */
export async function startServices(
  names: readonly VariantName[],
  { agents, program, started }: StartOptions,
  isUp: (service: Service) => void,
): Promise<RunningServices> {
  const [otel, pyroscope] = [await startExportSink(), await startExportSink()];
  started.defer(otel.stop);
  started.defer(pyroscope.stop);
  const recording = `${program.directory}/async-profiler.jfr`;
  const rivals = { agents, recording, otelEndpoint: otel.url, pyroscopeEndpoint: pyroscope.url };
  const services: RunningService[] = [];
  for (const variant of variantsOf(rivals).filter(({ name }) => names.includes(name))) {
    const service = await startService(variant, program, started);
    services.push({ ...service, variant });
    isUp(service);
  }
  return {
    services,
    delivered: () => ({
      otel: names.includes('otel-java-agent') ? otel.exported : undefined,
      pyroscope: names.includes('pyroscope-java-agent') ? pyroscope.exported : undefined,
      recordingBytes: names.includes('async-profiler') ? statSync(recording).size : undefined,
    }),
  };
}
