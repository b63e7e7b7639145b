/**
 * What changes in code without costing more: names, numbers, what is inlined where, which function does the work. Each kind is a
 * service as it was and as it is; pods stray as in cpu-gate.ts.
 */
import { javaMethodName } from '../../src/symbols/java-name.ts';
import type { SimulatedPath } from '../../test/reference/simulated-pods.ts';
import { type CpuGate, judgeVersion, PODS, serviceOf, type Version } from './cpu-gate.ts';
import type { HarmlessKind } from './harmless.ts';
import type { Chance } from './random.ts';

type Change = (service: readonly SimulatedPath[], chance: Chance) => Version;

const GATE: CpuGate = { ...PODS, samplesPerSecond: 25, deadlineS: 1_200, minS: 1_200 };
const FEW_BASELINE_PODS = 8; // in every other gate

/** `label`: the flag its report should carry where the change was seen. */
function kind(name: string, label: string, change: Change): HarmlessKind {
  return {
    name,
    simulate: (number, chance) => {
      const gate = number % 2 === 0 ? GATE : { ...GATE, baselinePods: FEW_BASELINE_PODS };
      const { outcome, judgement } = judgeVersion(change(serviceOf(number >> 1), chance), gate, chance);
      const flags: readonly string[] = judgement.flags;
      return { ...outcome, marks: flags.includes(label) ? ['labelled'] : [] };
    },
  };
}

const CLASS = /^app\.Class\d+\.method$/;

/** Functions of the service whose stacks take at least `least` of its CPU, and no more than a tenth. */
function functionsOf(service: readonly SimulatedPath[], least: number): string[] {
  const shares = new Map<string, number>();
  for (const { frames, weight } of service) {
    for (const frame of frames) if (CLASS.test(frame)) shares.set(frame, (shares.get(frame) ?? 0) + weight);
  }
  return [...shares].filter(([, share]) => share >= least && share <= 0.1).map(([name]) => name);
}

const oneOf = <T>(values: readonly T[], chance: Chance): T => {
  const value = values[Math.floor(chance.even() * values.length)];
  if (value === undefined) throw new Error('nothing to choose from');
  return value;
};

const renamed = (
  paths: readonly SimulatedPath[],
  nameOf: (frame: string) => string,
): readonly SimulatedPath[] => paths.map(({ frames, weight }) => ({ frames: frames.map(nameOf), weight }));

/** Paths of functions that burn CPU themselves, by at least so much and at most so much. */
const leavesOf = (service: readonly SimulatedPath[], least: number, most: number): readonly SimulatedPath[] =>
  service.filter(({ frames, weight }) => CLASS.test(frames[0] ?? '') && weight >= least && weight <= most);

/** Takes a part of what one path burns away, and has others burn it. */
function moved(
  service: readonly SimulatedPath[],
  from: SimulatedPath,
  part: number,
  to: readonly (readonly string[])[],
): readonly SimulatedPath[] {
  const kept = service.map((path) => (path === from ? { ...path, weight: path.weight * (1 - part) } : path));
  const each = (from.weight * part) / to.length;
  return [...kept, ...to.map((frames) => ({ frames, weight: each }))];
}

const renamedFunction: Change = (service, chance) => {
  const name = oneOf(functionsOf(service, 0.01), chance);
  return {
    baseline: service,
    canary: renamed(service, (frame) => (frame === name ? 'app.Renamed.run' : frame)),
  };
};

/** A package that moved, or a library's new version under another name: a twentieth of all functions. */
const renamedPackage: Change = (service, chance) => {
  const first = Math.floor(chance.even() * 20);
  const isOfPackage = (frame: string): boolean =>
    CLASS.test(frame) && Number(/\d+/.exec(frame)?.[0]) % 20 === first;
  return {
    baseline: service,
    canary: renamed(service, (frame) => (isOfPackage(frame) ? `other.${frame}` : frame)),
  };
};

/** A third of all functions are lambdas and continuations, five to a function; a new one before them takes a number each. */
const renumbered: Change = (service) => {
  const named = (shift: number) => (frame: string) => {
    const number = CLASS.test(frame) ? Number(/\d+/.exec(frame)?.[0]) : 1;
    if (number % 3 !== 0) return frame;
    const holder = `app.Holder${Math.floor(number / 15)}`;
    const at = Math.floor(number / 3) % 5;
    return number % 2 === 0
      ? `${holder}.lambda$handle$${at + shift}`
      : `${holder}$serve$${at + 1 + shift}.invokeSuspend`;
  };
  return { baseline: renamed(service, named(0)), canary: renamed(service, named(1)) };
};

/** A third of all functions are of classes that a JVM makes while it runs, other ones in every pod. */
const generated: Change = (service) => ({
  baseline: service,
  canary: service,
  inPod: (paths, chance) => {
    const start = Math.floor(chance.even() * 1_000);
    const names = [
      (at: number) => javaMethodName(`app/Holder${at}$$Lambda$${at + start}+0x00007f0${start}`, 'apply'),
      (at: number) => javaMethodName(`app/Caller${at}$$Lambda+0x00007f1${start}`, 'run'),
      (at: number) => javaMethodName(`app/Target${at}$$EnhancerBySpringCGLIB$$${start.toString(16)}`, 'call'),
    ];
    return renamed(paths, (frame) => {
      const number = CLASS.test(frame) ? Number(/\d+/.exec(frame)?.[0]) : 1;
      return number % 3 === 0 ? ((names[number % 2] ?? names[2])?.(number) ?? frame) : frame;
    });
  },
});

/** With a perf map a method that is inlined has no frame. One that costs, and some others. */
const without = (paths: readonly SimulatedPath[], inlined: ReadonlySet<string>): readonly SimulatedPath[] =>
  paths.map(({ frames, weight }) => ({ frames: frames.filter((frame) => !inlined.has(frame)), weight }));

function inlinedOf(service: readonly SimulatedPath[], chance: Chance): ReadonlySet<string> {
  const can = leavesOf(service, 0, 1).filter(({ frames }) => frames.length > 3);
  const some = can.filter(() => chance.even() < 0.03).map(({ frames }) => frames[0] ?? '');
  const costly = can.filter(({ weight }) => weight > 0.005).map(({ frames }) => frames[0] ?? '');
  return new Set([...some, oneOf(costly, chance)]);
}

const inlined: Change = (service, chance) => ({
  baseline: service,
  canary: without(service, inlinedOf(service, chance)),
});
const noLongerInlined: Change = (service, chance) => ({
  baseline: without(service, inlinedOf(service, chance)),
  canary: service,
});

/** Of a function of one to four per cent half goes to a new one beside it, or to one that is there. */
const toSibling: Change = (service, chance) => {
  const from = oneOf(leavesOf(service, 0.01, 0.04), chance);
  const siblings = service.filter(
    ({ frames }) => frames[0] !== from.frames[0] && frames.slice(1).join() === from.frames.slice(1).join(),
  );
  const to =
    siblings.length > 0 && chance.even() < 0.5
      ? oneOf(siblings, chance).frames
      : ['app.Sibling.run', ...from.frames.slice(1)];
  return { baseline: service, canary: moved(service, from, 0.5, [to]) };
};

const toUnrelated =
  (isNew: boolean, part: number): Change =>
  (service, chance) => {
    const from = oneOf(leavesOf(service, 0.01, 0.04), chance);
    const other = oneOf(leavesOf(service, 0, 1), chance).frames;
    const to = isNew ? ['app.Elsewhere.run', ...other.slice(1)] : other;
    return { baseline: service, canary: moved(service, from, part, [to]) };
  };

/** Two per cent of CPU, as in the design's own failed trial, from one function to another one or a new one. */
const twoPercent: Change = (service, chance) => {
  const other = (): readonly string[] => oneOf(leavesOf(service, 0, 1), chance).frames.slice(1);
  const from = { frames: ['app.Old.run', ...other()], weight: 0.02 };
  const before = [...service, from];
  return { baseline: before, canary: moved(before, from, 1, [['app.New.run', ...other()]]) };
};

const split: Change = (service, chance) => {
  const from = oneOf(leavesOf(service, 0.02, 0.06), chance);
  const to = ['One', 'Two', 'Three'].map((name) => [`app.Split.${name}`, ...from.frames.slice(1)]);
  return { baseline: service, canary: moved(service, from, 1, to) };
};

const extracted: Change = (service, chance) => {
  const from = oneOf(leavesOf(service, 0.01, 0.06), chance);
  return { baseline: service, canary: moved(service, from, 0.7, [['app.Extracted.run', ...from.frames]]) };
};

const GC_THREAD = [
  'G1ParScanThreadState::trim_queue [libjvm.so]',
  'WorkerThread::run [libjvm.so]',
  '[GC thread]',
];

/** The same work with a smaller heap: the collector's threads take fifteen per cent of the CPU and not five. */
const collection: Change = (service) => ({
  baseline: [...service, { frames: GC_THREAD, weight: 0.05 }],
  canary: [...service, { frames: GC_THREAD, weight: 0.18 }],
});

export const CODE_KINDS: readonly HarmlessKind[] = [
  kind('renamed function', 'Renamed', renamedFunction),
  kind('renamed package', 'Renamed', renamedPackage),
  kind('renumbered lambdas and continuations', 'Renumbered', renumbered),
  kind('generated classes', '', generated),
  kind('inlined in the canary', 'InliningChanged', inlined),
  kind('no longer inlined', 'InliningChanged', noLongerInlined),
  kind('moved to a sibling', 'CostMoved', toSibling),
  kind('moved to an unrelated function', 'CostMoved', toUnrelated(false, 0.5)),
  kind('moved to an unrelated new function', 'CostMoved', toUnrelated(true, 1)),
  kind('moved in part to an unrelated new function', 'CostMoved', toUnrelated(true, 0.5)),
  kind('2 % moved to an unrelated new function', 'CostMoved', twoPercent),
  kind('split into three', 'CostMoved', split),
  kind('extracted method', 'InliningChanged', extracted),
  kind('more garbage collection', 'GarbageCollection', collection),
];

/** A function of 0.3 to 3 % gets another name and takes so much more of the CPU. */
const renamedAndDearer =
  (part: number): Change =>
  (service, chance) => {
    const share = Math.exp(Math.log(0.003) + chance.even() * Math.log(10));
    const callers = oneOf(leavesOf(service, 0, 1), chance).frames.slice(1);
    return {
      baseline: [...service, { frames: ['app.Old.run', ...callers], weight: share }],
      canary: [...service, { frames: ['app.New.run', ...callers], weight: share + part }],
    };
  };

const DEADLINE_OF_A_GATE_S = 1_800;

export const RENAMES_WITH_REGRESSION: readonly HarmlessKind[] = [0.01, 0.03].map((part) => ({
  name: `renamed and +${part * 100}%`,
  simulate: (number, chance) => {
    const gate = { ...GATE, deadlineS: DEADLINE_OF_A_GATE_S, minS: 180 };
    return judgeVersion(renamedAndDearer(part)(serviceOf(number), chance), gate, chance).outcome;
  },
}));
