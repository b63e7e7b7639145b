/** The services that are compared: one program, and what is added to its JVM. Pure. */

export const VARIANT_NAMES = [
  'bare',
  'bare2',
  'flags',
  'otel-java-agent',
  'pyroscope-java-agent',
  'async-profiler',
  'flamegate',
] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];

export interface Variant {
  readonly name: VariantName;
  /** Of the JVM, beside those that all have. */
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** To begin with it, and to be rid of it. */
  readonly restartNeeded: boolean;
}

export interface Rivals {
  /** Directory of bench/overhead/agents/fetch.sh. */
  readonly agents: string;
  /** Where each is to export to. */
  readonly otelEndpoint: string;
  readonly pyroscopeEndpoint: string;
  readonly recording: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'linux-x64', arm64: 'linux-arm64' };
/** What the article asks for. */
const FLAGS = ['-XX:+PreserveFramePointer', '-XX:+UnlockDiagnosticVMOptions', '-XX:+DebugNonSafepoints'];
const MICROSECONDS_AT_99_HZ = 10_101;

/** Every agent as its documentation sets it up, with its own defaults wherever it has some. */
export function variantsOf({
  agents,
  otelEndpoint,
  pyroscopeEndpoint,
  recording,
}: Rivals): readonly Variant[] {
  const library = `${agents}/async-profiler/${ARCHITECTURES[process.arch]}/libasyncProfiler.so`;
  const untouched = { options: [], env: {}, restartNeeded: false };
  return [
    { ...untouched, name: 'bare' },
    { ...untouched, name: 'bare2' },
    { name: 'flags', options: FLAGS, env: {}, restartNeeded: true },
    {
      name: 'otel-java-agent',
      options: [`-javaagent:${agents}/opentelemetry-javaagent.jar`],
      env: { OTEL_SERVICE_NAME: 'orders', OTEL_EXPORTER_OTLP_ENDPOINT: otelEndpoint },
      restartNeeded: true,
    },
    {
      name: 'pyroscope-java-agent',
      options: [`-javaagent:${agents}/pyroscope.jar`],
      env: {
        PYROSCOPE_APPLICATION_NAME: 'orders',
        PYROSCOPE_SERVER_ADDRESS: pyroscopeEndpoint,
        PYROSCOPE_FORMAT: 'jfr',
        PYROSCOPE_PROFILER_EVENT: 'itimer',
        PYROSCOPE_PROFILING_INTERVAL: '10ms',
      },
      restartNeeded: true,
    },
    {
      name: 'async-profiler',
      options: [
        `-agentpath:${library}=start,event=ctimer,interval=${MICROSECONDS_AT_99_HZ}us,file=${recording}`,
      ],
      env: {},
      restartNeeded: false, // its asprof attaches to a running JVM, too
    },
    { ...untouched, name: 'flamegate' },
  ];
}
