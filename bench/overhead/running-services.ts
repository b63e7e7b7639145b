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
  stop(): Promise<void>;
}

export async function startServices(
  names: readonly VariantName[],
  agents: string,
  program: Program,
  started: (service: Service) => void,
): Promise<RunningServices> {
  const [otel, pyroscope] = [await startExportSink(), await startExportSink()];
  const recording = `${program.directory}/async-profiler.jfr`;
  const rivals = { agents, recording, otelEndpoint: otel.url, pyroscopeEndpoint: pyroscope.url };
  const services: RunningService[] = [];
  const stop = async () => {
    await Promise.all(services.map((service) => service.stop()));
    await Promise.all([otel.stop(), pyroscope.stop()]);
  };
  try {
    for (const variant of variantsOf(rivals).filter(({ name }) => names.includes(name))) {
      const service = await startService(variant, program);
      services.push({ ...service, variant });
      started(service);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    services,
    delivered: () => ({
      otel: names.includes('otel-java-agent') ? otel.exported : undefined,
      pyroscope: names.includes('pyroscope-java-agent') ? pyroscope.exported : undefined,
      recordingBytes: names.includes('async-profiler') ? statSync(recording).size : undefined,
    }),
    stop,
  };
}
