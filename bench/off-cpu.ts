/**
 * What it costs to ask who waits: a switch of everybody else and one of whoever is asked about, and the looks at a JVM of
 * THREADS=200 threads that wait (SECONDS=20). Writes bench/results/off-cpu.json.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hotspotOf, startJvm } from '../src/jvm/testing/a-jvm.ts';
import { flatUnwindLayout } from '../src/jvm/unwind-layout.ts';
import { openSampler } from '../src/native/sampler.ts';
import { javaClassPath } from '../src/native/testing/java-classes.ts';
import { writeResult } from './machine.ts';
import { switchCost } from './off-cpu/switch-cost.ts';

const BUILD = fileURLToPath(new URL('../build/', import.meta.url));
const THREADS = process.env['THREADS'] ?? '200';
const SECONDS = Number(process.env['SECONDS'] ?? 20);

/** Threads that sleep for 30 ms at a time: as many new waits at each look as can be. */
async function looks() {
  await using jvm = await startJvm(21, [
    '-cp',
    javaClassPath('Waits.java'),
    `-Dwaits.sleepers=${THREADS}`,
    'Waits',
  ]);
  const sampler = openSampler({
    objectPath: `${BUILD}cpu.bpf.o`,
    addonPath: `${BUILD}flamegate.node`,
    offCpuObjectPath: `${BUILD}offcpu.bpf.o`,
    ioObjectPath: `${BUILD}io.bpf.o`,
    ...{
      frequencyHz: 1,
      filter: 'pid',
      ringBytes: 1 << 20,
      maxTargets: 16,
      maxStacks: 10_000,
      measure: true,
    },
  });
  try {
    sampler.addProcess({ pid: jvm.pid, layout: flatUnwindLayout(hotspotOf(jvm).layout) });
    sampler.addWaits(BigInt(jvm.pid), 1_000_000n);
    await delay(5_000); // the first stacks of all
    sampler.take();
    const before = { counts: sampler.counters().waits, ms: performance.now() };
    await delay(SECONDS * 1000);
    const { scans, stacks, moved, scanNs } = sampler.counters().waits;
    const seconds = (performance.now() - before.ms) / 1000;
    const waits = sampler.take().waits;
    const told = (waits?.rows ?? []).reduce((sum, { ns }) => sum + ns, 0);
    const exact = (waits?.targets ?? []).flatMap(({ totals }) => Object.values(totals).map(({ ns }) => ns));
    const lookNs = scanNs - before.counts.scanNs;
    return {
      threads: Number(THREADS),
      looksPerSecond: (scans - before.counts.scans) / seconds,
      stacksPerSecond: (stacks - before.counts.stacks) / seconds,
      movedShare:
        (moved - before.counts.moved) /
        Math.max(1, stacks + moved - before.counts.stacks - before.counts.moved),
      microsPerLook: lookNs / 1000 / (scans - before.counts.scans),
      corePercent: lookNs / 1e7 / seconds,
      estimatedOfExact: told / exact.reduce((sum, ns) => sum + ns, 0),
    };
  } finally {
    sampler.close();
  }
}

const result = { switches: await switchCost(), looks: await looks() };
console.log(JSON.stringify(result, null, 2));
console.log(writeResult('off-cpu', 'node bench/off-cpu.ts', '21', result));
