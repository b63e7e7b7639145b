/** What the unwinder gets of real services, what it costs, and how exact its leaves are: bench/results/jvm.json. */
import { RELEASES } from '../src/jvm/testing/a-jvm.ts';
import { measureMiss } from './jvm/cost.ts';
import { liveFiguresEarlier, measureLive, writeLiveFigures } from './jvm/live-figures.ts';
import { measureLeaf } from './jvm/measure-leaf.ts';
import { FREQUENCY_HZ, measureService, type Plan } from './jvm/measure-service.ts';
import { type Figures, measuredEarlier, resultOf } from './jvm/result.ts';
import { printTable } from './jvm/table.ts';
import { measureTick } from './jvm/tick-cost.ts';
import { writeResult } from './machine.ts';

const STEADY_S = Number(process.env['STEADY_SECONDS'] ?? 25);
const FRAME_POINTER_S = 15;
const LEAF_RELEASE = 25;
const COST_SECONDS = 40;
const LEAF_SECONDS = Number(process.env['LEAF_SECONDS'] ?? 200); // 20,000 samples where half of a core is left

// ONLY=live: measures mode Live, and keeps all else.
if (process.env['ONLY'] === 'live') {
  await measureLive(writeLiveFigures);
  process.exit();
}

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
let figures: Figures =
  process.env['RESUME'] === '1'
    ? measuredEarlier()
    : {
        services: [],
        tick: measureTick(),
        missMicros: await measureMiss(FREQUENCY_HZ),
        leaf: undefined,
        live: liveFiguresEarlier(),
      };
// After each step: what is not measured yet is null.
const write = () => writeResult('jvm', 'make bench-jvm', RELEASES.join(', '), resultOf(figures));

const isMissing = (wanted: Plan) =>
  !figures.services.some(
    ({ plan }) =>
      plan.release === wanted.release && plan.service === wanted.service && plan.variant === wanted.variant,
  );

async function measureAll(some: readonly Plan[]): Promise<void> {
  for (const plan of some.filter(isMissing)) {
    try {
      const measured = await measureService(plan, figures.missMicros);
      figures = { ...figures, services: [...figures.services, measured] };
      printTable([measured]);
    } catch (error) {
      console.error(`JDK ${plan.release} ${plan.service} ${plan.variant}: not measured:`, error);
    }
    write();
  }
}

const leaf = await measureLeaf(
  LEAF_RELEASE,
  { leafSeconds: LEAF_SECONDS, costSeconds: COST_SECONDS },
  figures.missMicros,
);
console.log(JSON.stringify(leaf, null, 2));
figures = { ...figures, leaf };
write();
await measureAll([...plans, ...framePointerPlans]);
await measureLive((live) => {
  figures = { ...figures, live };
  write();
});
console.log('');
printTable(figures.services);
console.log(`\nWritten to ${write()}`);
