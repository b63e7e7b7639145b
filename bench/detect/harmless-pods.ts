/**
 * What differs between pods without a change of version, each alone and together with one that is slower (12 ms at P99) or burns
 * more (3 % of CPU in one function): what power is left beside it.
 */
import { type SimulatedPath, simulatedService } from '../../test/reference/simulated-pods.ts';
import type { GateOutcome } from './gate-outcome.ts';
import {
  judgePods,
  type PodGate,
  type PodState,
  type Route,
  type SimulatedPod,
  TIMER,
  WAITER,
} from './pod-gate.ts';
import type { Chance } from './random.ts';

/** Harmless, or what is wrong besides. */
export type Regression = 'None' | '+12ms' | '+3% CPU';
export const REGRESSIONS: readonly Regression[] = ['None', '+12ms', '+3% CPU'];

export interface PodKind {
  readonly name: string;
  /** The flag its report should carry. */
  readonly label: string;
  /** One gate; its mark `labelled` says that it does. */
  readonly simulate: (gate: number, chance: Chance, regression?: Regression) => GateOutcome;
}

const FUNCTIONS = 60;
const SERVICES = 40; // different call trees, in turn
const CANARY_LOAD = (1_000 * 0.05) / 3 / 47.5; // of a baseline pod's
const OLD_S = -7_200;
const DEADLINE_S = 1_200;
const HOST = { node: '', cpuModel: 'AMD EPYC 7B13' };
const ONE_ROUTE: readonly Route[] = [{ route: '/orders/{id}', part: 1, slower: 0 }];
const TARGET = 'app.Changed.run';

type Arm = SimulatedPod['arm'];
/** What a kind makes of the pods of an arm; anything it leaves out is as usual. */
interface Plan {
  readonly podSd?: number;
  readonly history?: number;
  readonly baselinePods?: number;
  readonly canaryPods?: number;
  readonly pod?: (arm: Arm, number: number) => Partial<SimulatedPod>;
}
interface Drawn {
  readonly chance: Chance;
  /** Of paths, those that a version adds among them. */
  readonly paths: number;
  readonly service: readonly SimulatedPath[];
}

function kind(name: string, label: string, plan: (drawn: Drawn) => Plan): PodKind {
  return {
    name,
    label,
    simulate: (number, chance, regression = 'None') => {
      const gate = gateOf(plan, { number, chance, regression });
      const { judgement, atS, looks } = judgePods(gate, chance);
      const marks = [`${judgement.verdict} ${judgement.reason}`];
      if (judgement.flags.some((flag) => flag === label)) marks.push('labelled');
      const by = judgement.checks.find(({ verdict }) => verdict === 'Failed')?.check ?? '';
      if (judgement.verdict === 'Failed') return { failedAtS: atS, by, marks, looks };
      return judgement.verdict === 'Passed' ? { passedAtS: atS, marks, looks } : { marks, looks };
    },
  };
}

interface Round {
  readonly number: number;
  readonly chance: Chance;
  readonly regression: Regression;
}

function gateOf(planOf: (drawn: Drawn) => Plan, { number, chance, regression }: Round): PodGate {
  const service = serviceOf(number, chance);
  const plan = planOf({ chance, paths: service.length, service });
  const changed = regression === '+3% CPU' ? withMore(service, 0.03) : service;
  const podsOf = (arm: Arm, pods: number): SimulatedPod[] =>
    Array.from({ length: pods }, (_, at) => ({
      arm,
      startedAtS: arm === 'canary' ? -600 : OLD_S,
      host: { ...HOST, node: `node-${at % 7}` },
      paths: arm === 'canary' ? changed : service,
      at: () => ({}),
      routes: ONE_ROUTE,
      change: arm === 'canary' && regression === '+12ms' ? { tailMs: 12 } : {},
      ...plan.pod?.(arm, at),
    }));
  return {
    podSd: plan.podSd ?? 0.03,
    history: plan.history ?? 10,
    deadlineS: DEADLINE_S,
    minS: DEADLINE_S,
    pods: [
      ...podsOf('baseline', plan.baselinePods ?? 20),
      ...podsOf('canary', plan.canaryPods ?? 3).map(withCanaryLoad(plan)),
    ],
  };
}

/** A canary pod has a third of the load unless its kind says otherwise. */
const withCanaryLoad =
  ({ baselinePods = 20 }: Plan) =>
  (pod: SimulatedPod): SimulatedPod => ({
    ...pod,
    at: (atS) => ({ load: baselinePods < 20 ? 1 : CANARY_LOAD, ...pod.at(atS) }),
  });

function serviceOf(number: number, chance: Chance): SimulatedPath[] {
  const service = simulatedService(FUNCTIONS, 9_000 + (number % SERVICES));
  const [callers = []] = service
    .slice(Math.floor(chance.even() * FUNCTIONS))
    .map(({ frames }) => frames.slice(1));
  return [
    ...service.map((path) => ({ ...path, weight: 0.92 * path.weight })),
    { frames: [TARGET, ...callers], weight: 0.01 },
    { frames: [TIMER, 'app.Timer.loop', 'java.lang.Thread.run'], weight: 0.03 },
    { frames: [WAITER, 'io.worker.run', 'java.lang.Thread.run'], weight: 0.04 },
  ];
}

const withMore = (paths: readonly SimulatedPath[], part: number): SimulatedPath[] =>
  paths.map((path) => (path.frames[0] === TARGET ? { ...path, weight: path.weight + part } : path));

const inArm = (arm: Arm, of: Partial<SimulatedPod>) => (each: Arm) => (each === arm ? of : {});

/** Factors of each path's cost, the same in all pods that share them. */
function factors({ chance, paths }: Drawn, sd: number): (path: number) => number {
  const drawn = Float64Array.from({ length: paths }, () => Math.exp(sd * chance.normal()));
  return (path) => drawn[path] ?? 1;
}

/** Of a JVM of this age: compilers busy, code interpreted, all of it gone by a factor of e every `e` seconds. */
function young(drawn: Drawn, startedAtS: number, e: number): Partial<SimulatedPod> {
  const factor = factors(drawn, 0.6);
  const left = (atS: number): number => Math.exp(-(atS - startedAtS) / e);
  return {
    startedAtS,
    costOf: (path, atS) => factor(path) ** left(atS) * (1 + 2 * left(atS)),
    at: (atS) => ({
      slower: Math.log1p(1.5 * left(atS)),
      compiling: Math.min(0.3, 0.002 + 0.25 * left(atS)),
    }),
  };
}

const MIXES = {
  baseline: [0.5, 0.3, 0.2],
  canary: [0.3, 0.5, 0.2],
};
const SLOWER = [0, -0.4, 0.5];

/** What handlers of a route burn goes with its requests. */
function mixedRoutes(arm: Arm, service: readonly SimulatedPath[]): Partial<SimulatedPod> {
  const routes = MIXES[arm].map((part, at) => ({ route: `/route${at}`, part, slower: SLOWER[at] ?? 0 }));
  const handlerOf = service.map(({ frames }) =>
    Number(/app\.Route(\d)\.handle/.exec(frames.join())?.[1] ?? -1),
  );
  const ratio = (route: number): number => (MIXES[arm][route] ?? 1) / (MIXES.baseline[route] ?? 1);
  return { routes, costOf: (path) => ratio(handlerOf[path] ?? -1) };
}

/** With DebugNonSafepoints what is inlined at the leaf has a name, without it is a guess. */
function inlinedLeaves({ service, chance }: Drawn): { exact: SimulatedPath[]; guessed: SimulatedPath[] } {
  const exact: SimulatedPath[] = [];
  const guessed: SimulatedPath[] = [];
  for (const { frames, weight } of service) {
    const part = chance.even() < 0.4 ? 0.6 : 0;
    const inner = `${frames[0] ?? ''}Inlined`;
    for (const list of [exact, guessed]) list.push({ frames, weight: weight * (1 - part) });
    exact.push({ frames: [inner, ...frames], weight: weight * part });
    guessed.push({ frames: [`${inner}_[s]`, ...frames], weight: weight * part });
  }
  return { exact, guessed };
}

/** Stretches of a minute that some pods are in, drawn once. */
function minutes(chance: Chance, part: number): (atS: number) => boolean {
  const drawn = Array.from({ length: DEADLINE_S / 60 + 1 }, () => chance.even() < part);
  return (atS) => atS > 0 && drawn[Math.floor((atS - 1) / 60)] === true;
}

const THROTTLED: Partial<PodState> = { throttled: 0.3, slower: 0.3 };

export const POD_KINDS: readonly PodKind[] = [
  kind('warm-up', 'WarmUpExcluded', (drawn) => ({ pod: inArm('canary', young(drawn, 0, 150)) })),
  kind('warm-up beside twins', 'WarmUpExcluded', (drawn) => {
    const pod = young(drawn, 0, 150);
    return { pod: (arm, at) => (arm === 'canary' || at < 4 ? pod : {}) };
  }),
  kind('route mix shifted by 20%', 'RouteMixShifted', ({ service }) => ({
    pod: (arm) => mixedRoutes(arm, service),
  })),
  kind('a third of the load', 'UnequalLoad', () => ({})),
  kind('twice the load', 'UnequalLoad', () => ({
    pod: inArm('canary', { at: () => ({ load: 2, slower: 0.2 }) }),
  })),
  kind('slower CPU', 'SlowerCpu', (drawn) => {
    const factor = factors(drawn, 0.08);
    const slow = { costOf: factor, at: () => ({ slower: 0.17, dearer: 1.18 }) };
    return {
      pod: (arm, at) =>
        arm === 'canary' ? { ...slow, host: { node: `other-${at}`, cpuModel: 'Intel Xeon E5-2680 v4' } } : {},
    };
  }),
  kind('slower CPU, some of the baseline too', 'SlowerCpu', (drawn) => {
    const factor = factors(drawn, 0.08);
    const slow = { costOf: factor, at: () => ({ slower: 0.17, dearer: 1.18 }) };
    return {
      pod: (arm, at) =>
        arm === 'canary' || at >= 12
          ? { ...slow, host: { node: `other-${at % 4}`, cpuModel: 'Intel Xeon E5-2680 v4' } }
          : {},
    };
  }),
  kind('profiling flags differ', 'ProfilingFlagsDiffer', (drawn) => {
    const { exact, guessed } = inlinedLeaves(drawn);
    return {
      pod: (arm) =>
        arm === 'canary' ? { paths: exact, flags: '-XX:+DebugNonSafepoints' } : { paths: guessed },
    };
  }),
  kind('throttled half of the time', 'Throttled', ({ chance }) => {
    const isThrottled = minutes(chance, 0.5);
    return { pod: inArm('canary', { at: (atS) => (isThrottled(atS) ? THROTTLED : {}) }) };
  }),
  kind('throttled', 'Throttled', () => ({ pod: inArm('canary', { at: () => THROTTLED }) })),
  kind('noisy node', 'NoisyNode', (drawn) => {
    const noisy = {
      costOf: factors(drawn, 0.05),
      at: () => ({ slower: 0.3 }),
      host: { ...HOST, node: 'noisy' },
    };
    return { pod: (_, at) => (at < 2 ? noisy : {}) };
  }),
  kind('noisy node of the canary alone', 'NoisyNode', (drawn) => {
    const noisy = {
      costOf: factors(drawn, 0.05),
      at: () => ({ slower: 0.3 }),
      host: { ...HOST, node: 'noisy' },
    };
    return { pod: inArm('canary', noisy) };
  }),
  kind('one bad pod', 'OnePod', ({ service }) => ({
    pod: (arm, at) =>
      arm === 'canary' && at === 0 ? { at: () => ({ slower: 0.4 }), paths: withMore(service, 0.05) } : {},
  })),
  kind('a fifth of windows loses half', 'SamplesLost', ({ chance }) => ({
    pod: () => {
      const isLossy = minutes(chance, 0.2);
      return { at: (atS) => (isLossy(atS) ? { lost: 0.5 } : {}) };
    },
  })),
  kind('10% lost everywhere', 'SamplesLost', () => ({ pod: () => ({ at: () => ({ lost: 0.1 }) }) })),
  kind('pods scaled', 'PodsScaled', (drawn) => {
    const load = (atS: number): number => (atS < 300 || atS >= 720 ? 1 : 0.8);
    const at = (of: Arm) => (atS: number) => ({ load: load(atS) * (of === 'canary' ? CANARY_LOAD : 1) });
    const born = (of: Arm): Partial<SimulatedPod> => {
      const pod = young(drawn, 300, 60);
      return { ...pod, fromS: 300, toS: 900, at: (atS) => ({ ...pod.at?.(atS), ...at(of)(atS) }) };
    };
    return {
      ...{ baselinePods: 26, canaryPods: 5 },
      pod: (arm, number) => (number >= (arm === 'canary' ? 3 : 20) ? born(arm) : { at: at(arm) }),
    };
  }),
  kind('drift with age', 'AgeDrift', (drawn) => {
    const factor = factors(drawn, 0.03);
    return {
      pod: inArm('canary', {
        costOf: (path, atS) => factor(path) ** (Math.max(0, atS) / DEADLINE_S),
        at: (atS) => ({ slower: (0.04 * Math.max(0, atS)) / DEADLINE_S }),
      }),
    };
  }),
  kind('drift with age beside twins', 'AgeDrift', (drawn) => {
    const factor = factors(drawn, 0.06);
    const pod = {
      startedAtS: -600,
      costOf: (path: number, atS: number) => factor(path) ** (Math.max(0, atS) / DEADLINE_S),
      at: (atS: number) => ({ slower: (0.25 * Math.max(0, atS)) / DEADLINE_S }),
    };
    return { pod: (arm, at) => (arm === 'canary' || at < 4 ? pod : {}) };
  }),
  kind('few baseline pods, no history', 'FewBaselinePods', () => ({
    ...{ podSd: 0.05, history: 0, baselinePods: 3 },
  })),
];
