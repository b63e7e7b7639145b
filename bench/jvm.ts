/** What the unwinder gets of real services, what it costs, and how exact its leaves are: bench/results/jvm.json. */
import { RELEASES } from '../src/jvm/testing/a-jvm.ts';
import { measureMiss } from './jvm/cost.ts';
import { measureLeaf } from './jvm/measure-leaf.ts';
import { FREQUENCY_HZ, type Measured, measureService, type Plan } from './jvm/measure-service.ts';
import { type Figures, measuredEarlier, resultOf } from './jvm/result.ts';
import { printTable } from './jvm/table.ts';
import { measureTick } from './jvm/tick-cost.ts';
import { writeResult } from './machine.ts';

const STEADY_S = Number(process.env['STEADY_SECONDS'] ?? 25);
const FRAME_POINTER_S = 15;
const LEAF_RELEASE = 25;
const LEAF_SECONDS = Number(process.env['LEAF_SECONDS'] ?? 200); // 20,000 samples where half of a core is left

// What matters most first: a run that is cut short keeps what it has.
const SERVICES = ['shallow', 'deep'] as const;
const plans: readonly Plan[] = [
  ...RELEASES.flatMap((release) =>
    SERVICES.map((service): Plan => ({ release, service, variant: 'default', steadySeconds: STEADY_S })),
  ),
  ...([21, 25] as const).map(
    (release): Plan => ({ release, service: 'deep', variant: 'virtual', steadySeconds: STEADY_S }),
  ),
];
const framePointerPlans: readonly Plan[] = RELEASES.flatMap((release) =>
  SERVICES.map(
    (service): Plan => ({ release, service, variant: 'framePointer', steadySeconds: FRAME_POINTER_S }),
  ),
);

// RESUME=1: goes on where an earlier run was ended.
const services: Measured[] = process.env['RESUME'] === '1' ? measuredEarlier() : [];
const tick = measureTick();
const missMicros = await measureMiss(FREQUENCY_HZ);
let figures: Figures = { services, tick, missMicros, leaf: undefined };
// After each step: what is not measured yet is null.
const write = () => writeResult('jvm', 'make bench-jvm', RELEASES.join(', '), resultOf(figures));

const isMissing = (wanted: Plan) =>
  !services.some(
    ({ plan }) =>
      plan.release === wanted.release && plan.service === wanted.service && plan.variant === wanted.variant,
  );

async function measureAll(some: readonly Plan[]): Promise<void> {
  for (const plan of some.filter(isMissing)) {
    try {
      const measured = await measureService(plan, missMicros);
      services.push(measured);
      printTable([measured]);
    } catch (error) {
      console.error(`JDK ${plan.release} ${plan.service} ${plan.variant}: not measured:`, error);
    }
    write();
  }
}

const leaf = await measureLeaf(LEAF_RELEASE, { leafSeconds: LEAF_SECONDS, costSeconds: 40 }, missMicros);
console.log(JSON.stringify(leaf, null, 2));
figures = { ...figures, leaf };
write();
await measureAll([...plans, ...framePointerPlans]);
console.log('');
printTable(services);
console.log(`\nWritten to ${write()}`);
