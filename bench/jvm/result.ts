/** The fields of bench/results/jvm.json. */
import { RELEASES, type Release } from '../../src/jvm/testing/a-jvm.ts';
import { type LiveFigures, liveFiguresEarlier } from './live-figures.ts';
import type { AgentMeasured, Redeploys } from './measure-agent.ts';
import type { CoroutineFigures } from './measure-coroutines.ts';
import type { measureLeaf } from './measure-leaf.ts';
import type { Measured, Plan } from './measure-service.ts';
import type { ServiceName } from './service.ts';
import { type Shares, share } from './shares.ts';
import type { measureTick } from './tick-cost.ts';
import { bytesWrittenByConstruction } from './written-bytes.ts';
import { readResult } from './written-result.ts';

export interface Figures {
  readonly services: readonly Measured[];
  readonly tick: ReturnType<typeof measureTick>;
  readonly missMicros: number;
  readonly leaf: Awaited<ReturnType<typeof measureLeaf>> | undefined;
  readonly coroutines: CoroutineFigures | undefined;
  readonly agent: AgentMeasured | undefined;
  readonly redeploys: Redeploys | undefined;
  readonly live: LiveFigures | null;
}

interface Written {
  readonly noise: { readonly tickMicros: number };
  readonly tickMicros: number;
  readonly kernelMicrosPerMiss: number;
  readonly runs: readonly (Plan & Omit<Measured, 'plan'>)[];
}

/** Of the result that is there. */
export function measuredEarlier(): Figures {
  const written: Written = readResult();
  const services = written.runs.map(({ release, service, variant, steadySeconds, ...figures }) => ({
    plan: { release, service, variant, steadySeconds },
    ...figures,
  }));
  const tick = { micros: written.tickMicros, noiseMicros: written.noise.tickMicros };
  const missMicros = written.kernelMicrosPerMiss;
  return {
    ...{ services, tick, missMicros, leaf: undefined },
    ...{ coroutines: undefined, agent: undefined, redeploys: undefined },
    live: liveFiguresEarlier(),
  };
}

export function resultOf(figures: Figures) {
  const { services, tick, missMicros, leaf, coroutines, live } = figures;
  const cost = leaf?.warm.cost;
  return {
    noise: { selfDistanceHalves: leaf?.leaf.noise ?? null, tickMicros: tick.noiseMicros },
    ...servicesOf(services),
    selfDistanceToAsyncProfiler: leaf?.leaf.distance ?? null,
    selfSamples: leaf?.leaf.samples ?? null,
    selfDifferences: leaf?.leaf.differences ?? null,
    firstNamedProfileMs: leaf?.warm.firstNamedProfileMs ?? null,
    kernelMicrosPerSample: cost?.kernelMicrosPerSample ?? null,
    kernelMicrosPerMiss: missMicros,
    tickMicros: tick.micros,
    userMicrosPerSampleMedian: cost?.userMicrosMedian ?? null,
    userMicrosPerSampleP99: cost?.userMicrosP99 ?? null,
    foreignReadsPerSample: cost?.foreignReadsPerSample ?? null,
    warmSamples: cost?.samples ?? null,
    bytesWrittenToTarget: bytesWrittenByConstruction(),
    coroutine: coroutines ?? null,
    live,
    agent: agentOf(figures),
  };
}

export function servicesOf(services: readonly Measured[]) {
  const jdk = RELEASES.flatMap((release) =>
    (['shallow', 'deep'] as const).map((service) => rowOf(services, release, service)),
  );
  const runs = services.map(({ plan, ...figures }) => ({ ...plan, ...figures }));
  return { jdk, ...parkedOf(services), runs };
}

function agentOf({ agent, redeploys }: Figures) {
  if (!agent && !redeploys) return null;
  return {
    rssMb: agent?.rssMb ?? null,
    cgroupAnonKernelMb: agent?.cgroupAnonKernelMb ?? null,
    slopeMbPer100Redeploys: redeploys?.slopeMbPer100 ?? null,
    corePercentAt49Hz: agent?.at49Hz.corePercent ?? null,
    corePercentAt99Hz: agent?.at99Hz.corePercent ?? null,
    corePercentWithKernelAt99Hz: agent?.at99Hz.corePercentWithKernel ?? null,
    samplesGotShare: agent?.at99Hz.samplesGotShare ?? null,
    samplesLostShare: agent?.at99Hz.samplesLostShare ?? null,
    at49Hz: agent?.at49Hz ?? null,
    at99Hz: agent?.at99Hz ?? null,
    redeploys: redeploys ?? null,
  };
}

function rowOf(services: readonly Measured[], version: Release, service: ServiceName) {
  const of = (variant: Plan['variant']) =>
    services.find(
      ({ plan }) => plan.release === version && plan.service === service && plan.variant === variant,
    );
  const usual = of('default');
  return {
    version,
    service,
    completeDefault: completeShare(usual?.steady),
    completeFramePointer: completeShare(of('framePointer')?.steady),
    completeWarmup: completeShare(usual?.warmUp),
    virtualThreadsComplete: completeShare(of('virtual')?.steady),
    lineShare: usual?.steady.lineShare ?? null,
    inlineShare: usual?.steady.inlineShare ?? null,
    samples: usual?.steady.due ?? null,
    framesMedian: usual?.steady.framesMedian ?? null,
    framesMax: usual?.steady.framesMax ?? null,
  };
}

function completeShare(shares: Shares | undefined): number | null {
  return shares ? share(shares.complete, shares.due) : null;
}

function parkedOf(services: readonly Measured[]) {
  const parked = services.flatMap((one) => one.parked ?? []);
  const frames = parked.reduce((sum, one) => sum + one.frames, 0);
  const equal = parked.reduce((sum, one) => sum + one.equalFrames, 0);
  const different = parked.flatMap((one) => one.different);
  return { parkedThreadEquality: share(equal, frames), parkedThreads: { frames, different } };
}
