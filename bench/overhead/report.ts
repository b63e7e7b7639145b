/** All that a run measured, as the fields of bench/results/overhead.json and as text. Pure. */
import { type ComparedVariant, compare, savedAgainst } from './compared.ts';
import { type Deliveries, problemsOf } from './problems.ts';
import { comparisonTable, estimateText, sameJvmTable } from './table.ts';
import type { VariantName } from './variants.ts';
import { costOf, type Window } from './window.ts';

export const EVERYDAY_HZ = 49;
export const FASTER_HZ = 99;
/** The A/A pair: one and the same thing, twice. Their mean is what the others are compared with. */
const PAIR = ['bare', 'bare2'] as const;
export const UNWATCHED_PAIR = ['unwatched', 'unwatched2'] as const;
export const watchedAt = (hz: number): string => `flamegate at ${hz} Hz`;

/** What is known of a service apart from its windows. */
export interface ServiceFacts {
  readonly name: VariantName;
  readonly startCpuS: number;
  readonly startS: number;
  /** What lives after a collection at the end. */
  readonly heapMb: number;
  /** From the first round to the last, with the time between windows, in which agents work, too. */
  readonly wholeRunCpuMs: number;
  readonly restartNeeded: boolean;
}

export interface Measurements {
  readonly services: readonly ServiceFacts[];
  /** One a round of each service. */
  readonly windows: readonly Window[];
  /** Of the service that Flamegate watches, watched and unwatched. */
  readonly oneJvmWindows: readonly Window[];
  readonly deliveries: Deliveries;
  readonly agentStartCpuS: number | null;
}

export type VariantResult = ComparedVariant & Omit<ServiceFacts, 'wholeRunCpuMs'> & WholeRun;

interface WholeRun {
  readonly wholeRunCpuMsPerRequest: number;
}

export interface Report {
  readonly result: object;
  readonly text: string;
  readonly problems: readonly string[];
}

export function reportOf(measured: Measurements, rate: number, random: () => number): Report {
  const { windows, oneJvmWindows, deliveries, agentStartCpuS } = measured;
  const compared = compare(windows, PAIR, random);
  const variants = measured.services.flatMap((facts) => variantResult(facts, compared.variants, windows));
  const sides = { variant: 'flamegate', other: 'otel-java-agent', bases: PAIR };
  const saved = savedAgainst(windows, sides, random);
  const oneJvm = compare(oneJvmWindows, UNWATCHED_PAIR, random);
  const added = addedIn(oneJvm.variants, watchedAt(EVERYDAY_HZ));
  const otelAdded = addedIn(compared.variants, 'otel-java-agent');
  const savedOnOneJvm = added === null || otelAdded === null || otelAdded <= 0 ? null : 1 - added / otelAdded;
  return {
    result: {
      noise: compared.noise,
      variants,
      cpuSavedAgainstOtelAgent: saved?.value ?? null,
      cpuSavedInterval: saved?.interval ?? null,
      sameJvm: { ...oneJvm, cpuSavedAgainstOtelAgent: savedOnOneJvm },
      agentStartCpuS,
      delivered: deliveredFields(deliveries),
      windows: [...windows, ...oneJvmWindows],
    },
    text: [
      comparisonTable(variants, compared.noise),
      ...(oneJvmWindows.length > 0 ? [sameJvmTable(oneJvm.variants, oneJvm.noise)] : []),
      `CPU saved against the OpenTelemetry agent: ${estimateText(saved)}; with Flamegate's cost from one JVM, watched and not: ${savedOnOneJvm?.toFixed(3) ?? '-'}`,
    ].join('\n\n'),
    problems: problemsOf([...windows, ...oneJvmWindows], deliveries, rate),
  };
}

function variantResult(
  { wholeRunCpuMs, ...facts }: ServiceFacts,
  compared: readonly ComparedVariant[],
  windows: readonly Window[],
): readonly VariantResult[] {
  const requests = windows
    .filter(({ variant }) => variant === facts.name)
    .reduce((sum, window) => sum + window.leadRequests + window.requests, 0);
  return compared
    .filter(({ name }) => name === facts.name)
    .map((each) => ({ ...each, ...facts, wholeRunCpuMsPerRequest: wholeRunCpuMs / requests }));
}

function addedIn(variants: readonly ComparedVariant[], name: string): number | null {
  return variants.find((each) => each.name === name)?.addedCpuMsPerRequest ?? null;
}

function deliveredFields({ otel, pyroscope, recordingBytes, flamegate }: Deliveries): object {
  return {
    'otel-java-agent': otel ? Object.fromEntries(otel) : null,
    'pyroscope-java-agent': pyroscope ? Object.fromEntries(pyroscope) : null,
    'async-profiler': recordingBytes === undefined ? null : { recordingBytes },
    flamegate: flamegate ?? null,
  };
}

/** A line of progress. */
export function windowLine(window: Window): string {
  const { variant, round, requests, errors, p50Ms, p99Ms, rssMb, agentCpuMs, agentRssMb } = window;
  const agent = agentRssMb === 0 ? '' : `, agent ${agentCpuMs.toFixed(0)} ms and ${agentRssMb.toFixed(0)} MB`;
  return `${round + 1}  ${variant}: ${costOf(window).toFixed(3)} ms/req of ${requests} (${errors} failed), P50 ${p50Ms.toFixed(1)}, P99 ${p99Ms.toFixed(1)} ms, ${rssMb.toFixed(0)} MB${agent}`;
}
