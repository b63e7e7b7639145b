/** What the unwinder gets of real services, what it costs, and how exact its leaves are: bench/results/jvm.json. */
import { RELEASES } from '../src/jvm/testing/a-jvm.ts';
import { measureMiss } from './jvm/cost.ts';
import { liveFiguresEarlier, measureLive } from './jvm/live-figures.ts';
import { measureAgent, measureRedeploys } from './jvm/measure-agent.ts';
import { measureCoroutines } from './jvm/measure-coroutines.ts';
import { measureLeaf } from './jvm/measure-leaf.ts';
import { FREQUENCY_HZ, measureService, type Plan } from './jvm/measure-service.ts';
import { type Figures, measuredEarlier, resultOf, servicesOf } from './jvm/result.ts';
import { printTable } from './jvm/table.ts';
import { measureTick } from './jvm/tick-cost.ts';
import { writePart } from './jvm/written-result.ts';
import { writeResult } from './machine.ts';

// QUICK=1 fills every field in a quarter of an hour; its shares are coarse.
const QUICK = process.env['QUICK'] === '1';
const STEADY_S = Number(process.env['STEADY_SECONDS'] ?? (QUICK ? 8 : 25));
const WARM_UP_S = QUICK ? 10 : 20;
const FRAME_POINTER_S = QUICK ? 6 : 15;
const LEAF_RELEASE = 25;
// Code that is met for the first time is read: it takes minutes until a service is warm for us, too.
const WARM_SECONDS = QUICK ? 40 : 240;
const COST_SECONDS = QUICK ? 20 : 120;
const LEAF_SECONDS = Number(process.env['LEAF_SECONDS'] ?? (QUICK ? 30 : 200)); // 20,000 samples where half of a core is left
const AGENT_WINDOWS = QUICK ? 2 : 6;
const REDEPLOYS = Number(process.env['REDEPLOYS'] ?? (QUICK ? 36 : 180));
const COROUTINE_CPU_S = QUICK ? 1 : 4;

// ONLY=live: measures mode Live, and keeps all else.
if (process.env['ONLY'] === 'live') {
  await measureLive((live) => writePart({ live }));
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

// RESUME=1: goes on where an earlier run was ended. ONLY=services: measures no more than the services, and keeps all else.
const RESUMES = process.env['RESUME'] === '1';
const ONLY_SERVICES = process.env['ONLY'] === 'services';
let figures: Figures =
  RESUMES || ONLY_SERVICES
    ? { ...measuredEarlier(), ...(RESUMES ? {} : { services: [] }) }
    : {
        ...{
          services: [],
          tick: measureTick(),
          missMicros: await measureMiss(FREQUENCY_HZ),
          leaf: undefined,
        },
        ...{ coroutines: undefined, agent: undefined, redeploys: undefined },
        live: liveFiguresEarlier(),
      };
// After each step: what is not measured yet is null.
const write = () =>
  ONLY_SERVICES
    ? writePart({ ...servicesOf(figures.services), servicesDate: new Date().toISOString() })
    : writeResult('jvm', 'make bench-jvm', RELEASES.join(', '), resultOf(figures));

const isMissing = (wanted: Plan) =>
  !figures.services.some(
    ({ plan }) =>
      plan.release === wanted.release && plan.service === wanted.service && plan.variant === wanted.variant,
  );

async function measureAll(some: readonly Plan[]): Promise<void> {
  for (const plan of some.filter(isMissing)) {
    try {
      const measured = await measureService(plan, WARM_UP_S, figures.missMicros);
      figures = { ...figures, services: [...figures.services, measured] };
      printTable([measured]);
    } catch (error) {
      console.error(`JDK ${plan.release} ${plan.service} ${plan.variant}: not measured:`, error);
    }
    write();
  }
}

/** One that fails leaves the others their turn, and null for its own. */
async function step(name: string, measure: () => Promise<Partial<Figures>>): Promise<void> {
  try {
    const measured = await measure();
    console.log(name, JSON.stringify(measured, null, 2));
    figures = { ...figures, ...measured };
  } catch (error) {
    console.error(`${name}: not measured:`, error);
  }
  write();
}

if (ONLY_SERVICES) {
  await measureAll([...plans, ...framePointerPlans]);
  printTable(figures.services);
  process.exit();
}

const seconds = { warmSeconds: WARM_SECONDS, leafSeconds: LEAF_SECONDS, costSeconds: COST_SECONDS };
await step('warm service', async () => ({
  leaf: await measureLeaf(LEAF_RELEASE, seconds, figures.missMicros),
}));
await step('agent', async () => ({ agent: await measureAgent(AGENT_WINDOWS, figures.tick.micros) }));
await step('coroutines', async () => ({ coroutines: await measureCoroutines(COROUTINE_CPU_S) }));
await measureAll([...plans, ...framePointerPlans]);
await step('redeploys', async () => ({ redeploys: await measureRedeploys(REDEPLOYS) }));
await measureLive((live) => {
  figures = { ...figures, live };
  write();
});
console.log('');
printTable(figures.services);
console.log(`\nWritten to ${write()}`);
