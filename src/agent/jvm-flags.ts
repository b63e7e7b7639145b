/** Which of the flags that matter to a profiler a JVM was given, as far as its command line and environment tell. */
import type { OptionVariable } from '../wire/batch-schema.ts';

export interface JvmOptions {
  /** Names of flags that are on: PreserveFramePointer, DebugNonSafepoints. */
  readonly flags: readonly string[];
  readonly attachDisabled: boolean;
  /** Which of the variables that may carry flags are in the environment; undefined when it could not be read. */
  readonly environment: readonly OptionVariable[] | undefined;
  /** A Java agent known to trace requests, or a variable by which OpenTelemetry's SDK is told to. */
  readonly tracer: string | undefined;
}

const REPORTED = ['PreserveFramePointer', 'DebugNonSafepoints'];
/** Java agents that make a span of each request, by their file. */
const TRACERS =
  /^-javaagent:(?:[^=]*\/)?((?:[\w.-]*opentelemetry-javaagent|grafana-opentelemetry-java|splunk-otel-javaagent|dd-java-agent|elastic-apm-agent|newrelic|skywalking-agent|applicationinsights-agent|oneagent)[\w.-]*\.jar)/i;
const OPTION_VARIABLES: readonly OptionVariable[] = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS'];

/** `cmdline` is NUL-separated, as /proc gives it; `variables` are `NAME=value`. What stands last counts, as in the JVM. */
export function jvmOptions(cmdline: string, variables: readonly string[] | undefined): JvmOptions {
  const textOf = (name: string) =>
    variables?.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  const words = (name: string) => textOf(name)?.split(/\s+/) ?? [];
  const options = [
    ...words('JAVA_TOOL_OPTIONS'),
    ...words('JDK_JAVA_OPTIONS'),
    ...cmdline.split('\0'),
    ...words('_JAVA_OPTIONS'),
  ];
  const on = (flag: string) =>
    options.findLast((each) => /^-XX:[+-]/.test(each) && each.slice(5) === flag)?.[4] === '+';
  return {
    flags: REPORTED.filter(on),
    attachDisabled: on('DisableAttachMechanism'),
    environment: variables && OPTION_VARIABLES.filter((name) => textOf(name) !== undefined),
    tracer: tracerAmong(options) ?? sdkVariable(variables ?? []),
  };
}

const tracerAmong = (options: readonly string[]): string | undefined =>
  options.map((option) => TRACERS.exec(option)?.[1]).find((name) => name !== undefined);

/** Whoever sets one has an SDK to read it, unless it says that there is to be none. */
function sdkVariable(variables: readonly string[]): string | undefined {
  if (variables.includes('OTEL_SDK_DISABLED=true') || variables.includes('OTEL_TRACES_EXPORTER=none'))
    return undefined;
  return variables.find((each) => each.startsWith('OTEL_'))?.split('=', 1)[0];
}
