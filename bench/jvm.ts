/** What the unwinder gets of real services, what it costs, and how exact its leaves are: bench/results/jvm.json. */

import { RELEASES } from '../src/jvm/testing/a-jvm.ts';
import { type Leaf, measureLeaf, type Warm } from './jvm/measure-leaf.ts';
import { type Measured, measureService, type Plan } from './jvm/measure-service.ts';
import { share } from './jvm/shares.ts';
import { printTable } from './jvm/table.ts';
import { measureTick } from './jvm/tick-cost.ts';
import { bytesWrittenByConstruction } from './jvm/written-bytes.ts';
import { writeResult } from './machine.ts';

const STEADY_S = 25;
const FRAME_POINTER_S = 15;
const LEAF_RELEASE = 25;
const LEAF_S = Number(process.env['LEAF_SECONDS'] ?? 180);
const COST_S = 40;

const plans: readonly Plan[] = RELEASES.flatMap((release) => [
  ...(['shallow', 'deep'] as const).flatMap((service): Plan[] => [
    { release, service, variant: 'default', steadySeconds: STEADY_S },
    { release, service, variant: 'framePointer', steadySeconds: FRAME_POINTER_S },
  ]),
  ...(release === 17
    ? []
    : [{ release, service: 'deep', variant: 'virtual', steadySeconds: STEADY_S } as const]),
]);

const tick = measureTick();
const { leaf, warm } = await measureLeaf(LEAF_RELEASE, LEAF_S, COST_S);
const all: Measured[] = [];
for (const plan of plans) {
  try {
    const measured = await measureService(plan, warm.microsOfMiss);
    all.push(measured);
    printTable([measured]);
  } catch (error) {
    console.error(`JDK ${plan.release} ${plan.service} ${plan.variant}: not measured`, error);
  }
}
console.log('');
printTable(all);
const path = writeResult('jvm', 'make bench-jvm', RELEASES.join(', '), result(all, leaf, warm));
console.log(`\nWritten to ${path}`);

function result(measured: readonly Measured[], { differences, ...exact }: Leaf, { cost, ...first }: Warm) {
  const parked = measured.flatMap((one) => one.parked ?? []);
  const sum = (of: (one: (typeof parked)[number]) => number) => parked.reduce((all, one) => all + of(one), 0);
  return {
    noise: { selfDistanceHalves: exact.noise, tickMicros: tick.noiseMicros },
    jdk: RELEASES.flatMap((version) => [rowOf(version, 'shallow'), rowOf(version, 'deep')]),
    parkedThreadEquality: share(
      sum((one) => one.equalFrames),
      sum((one) => one.frames),
    ),
    parkedThreads: { frames: sum((one) => one.frames), different: parked.flatMap((one) => one.different) },
    selfDistanceToAsyncProfiler: exact.distance,
    selfSamples: exact.samples,
    selfDifferences: differences,
    firstNamedProfileMs: first.firstNamedProfileMs,
    kernelMicrosPerSample: cost.kernelMicrosPerSample,
    kernelMicrosPerMiss: Number(first.microsOfMiss.toFixed(2)),
    tickMicros: tick.micros,
    userMicrosPerSampleMedian: cost.userMicrosMedian,
    userMicrosPerSampleP99: cost.userMicrosP99,
    foreignReadsPerSample: cost.foreignReadsPerSample,
    warmSamples: cost.samples,
    bytesWrittenToTarget: bytesWrittenByConstruction(),
    coroutine: null,
    live: null,
    agent: null,
    runs: measured.map(({ plan, ...figures }) => ({ ...plan, ...figures })),
  };
}

function rowOf(version: Plan['release'], service: Plan['service']) {
  const of = (variant: Plan['variant']) =>
    all.find(({ plan }) => plan.release === version && plan.service === service && plan.variant === variant);
  const complete = (shares: Measured['steady'] | undefined) =>
    shares ? share(shares.complete, shares.due) : null;
  const usual = of('default');
  return {
    version,
    service,
    completeDefault: complete(usual?.steady),
    completeFramePointer: complete(of('framePointer')?.steady),
    completeWarmup: complete(usual?.warmUp),
    virtualThreadsComplete: complete(of('virtual')?.steady),
    lineShare: usual?.steady.lineShare ?? null,
    inlineShare: usual?.steady.inlineShare ?? null,
    samples: usual?.steady.due ?? null,
    framesMedian: usual?.steady.framesMedian ?? null,
    framesMax: usual?.steady.framesMax ?? null,
  };
}
