/**
 * Certifications in the background: one at a time, in turns of some milliseconds with a longer rest after each, so that agents
 * push and gates are judged meanwhile. What has been found is asked for at the gate's next look.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type BaselineHistory, HistoryCollector, MOST_PODS } from '../../detect/baseline-history.ts';
import {
  certify,
  FEWEST_PODS,
  LEAST_SPAN_MS,
  type Uncertifiable,
  uncertifiable,
} from '../../detect/certify.ts';
import { chooseCanaries } from '../../detect/relabelled-pods.ts';
import { type Random, seededRandom, seedOf } from '../../detect/seeded-random.ts';
import type { WindowStore } from '../../store/window-store.ts';
import { type CertificationAim, type Certifying, certified } from './certification.ts';
import { type WindowSource, windowSource } from './window-source.ts';

export interface RunningCertifications {
  /** Begins, goes on, or says what was found. */
  certify(gate: string, aim: CertificationAim): Certifying;
  /** What is being found of this gate is of no use any more. */
  drop(gate: string): void;
}

interface Options {
  readonly store: WindowStore;
  /** Where windows are read; the store where nothing is said. */
  readonly source?: WindowSource;
  readonly now: () => number;
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

interface Run {
  readonly identity: string;
  readonly aim: CertificationAim;
  state: Certifying;
  isDropped: boolean;
  /** When a run that found too little, or broke, is begun anew. */
  retryAtMs: number;
}

const SPAN_MS = 60 * 60_000; // what the store keeps
const TURN_MS = 15;
/** Of the time worked: a quarter of a core at most. */
const REST = 3;
const RETRY_MS = 5 * 60_000;

export function runningCertifications({ store, now, log, ...options }: Options): RunningCertifications {
  const { source = windowSource({ store, now }) } = options;
  const runs = new Map<string, Run>(); // one for each gate that exists
  let last: Promise<void> = Promise.resolve();

  const perform = async (gate: string, run: Run): Promise<void> => {
    if (run.isDropped) return;
    run.state = { kind: 'Running', message: 'placebo evaluations of the baseline with itself are judged' };
    try {
      await find(run, { source, now });
      log.info({ gate, found: run.state }, 'certification ended');
    } catch (err) {
      log.warn({ gate, err }, 'gate could not be certified');
      run.state = {
        kind: 'Running',
        message: `broke off, and is begun again within ${RETRY_MS / 60_000} min`,
      };
      run.retryAtMs = now() + RETRY_MS;
    }
  };

  const drop = (gate: string): void => {
    const run = runs.get(gate);
    if (run === undefined) return;
    run.isDropped = true;
    runs.delete(gate);
  };

  return {
    certify(gate, aim) {
      const known = runs.get(gate);
      if (known?.identity === aim.identity && now() < known.retryAtMs) return known.state;
      drop(gate);
      const lack = lackOf(store, aim, now());
      if (lack !== undefined) return { kind: 'Waiting', ...lack };
      const message = 'waits for its turn: one gate is certified after the other';
      const state = { kind: 'Running', message } as const;
      const retryAtMs = Number.POSITIVE_INFINITY;
      const run: Run = { identity: aim.identity, aim, state, isDropped: false, retryAtMs };
      runs.set(gate, run);
      last = last.then(() => perform(gate, run));
      return state;
    },
    drop,
  };
}

/** Without reading a window: whether enough pods have had any for long enough. */
function lackOf(store: WindowStore, { pods }: CertificationAim, nowMs: number): Uncertifiable | undefined {
  const old = store.extents({ pods, fromMs: nowMs - SPAN_MS, toMs: nowMs - LEAST_SPAN_MS });
  if (old.length >= FEWEST_PODS) return undefined;
  const needed = `at least ${FEWEST_PODS} baseline pods with ${LEAST_SPAN_MS / 60_000} min of windows are needed`;
  return pods.length < FEWEST_PODS
    ? { reason: 'TooFewPods', message: `${needed}, and there are ${pods.length} pods` }
    : { reason: 'TooFewWindows', message: `${needed}, and ${old.length} of ${pods.length} have them` };
}

interface Finding {
  readonly source: WindowSource;
  readonly now: () => number;
}

async function find(run: Run, { source, now }: Finding): Promise<void> {
  const { aim } = run;
  const random = seededRandom(seedOf(aim.identity));
  const pause = paced();
  const history = await read(run, { source, nowMs: now(), random, pause });
  const lack = uncertifiable(history);
  if (lack !== undefined) {
    run.state = { kind: 'Waiting', ...lack };
    run.retryAtMs = now() + RETRY_MS;
    return;
  }
  const baselinePods = new Set(aim.pods.map(({ podUid }) => podUid)).size;
  const certifying = certify(history, { settings: aim.settings, random, baselinePods });
  while (!run.isDropped) {
    const step = certifying.next();
    if (step.done === true) {
      run.state = { kind: 'Done', certification: certified(step.value, aim, now()) };
      return;
    }
    await pause();
  }
}

interface Reading {
  readonly source: WindowSource;
  readonly nowMs: number;
  readonly random: Random;
  readonly pause: () => Promise<void>;
}

async function read(run: Run, { source, nowMs, random, pause }: Reading): Promise<BaselineHistory> {
  const { pods, settings } = run.aim;
  const collector = new HistoryCollector(settings.warmUpMs);
  const [drawn = pods] = pods.length > MOST_PODS ? chooseCanaries(pods, MOST_PODS, 1, random) : [];
  for (const pod of drawn) {
    if (run.isDropped) break;
    const { windows } = await source.windows({ pods: [pod], fromMs: nowMs - SPAN_MS, toMs: nowMs });
    collector.add(windows); // what is not scraped yet is missing
    await pause();
  }
  return collector.history(random);
}

/** To be awaited after each piece of work: rests when a turn is over. Measured, because a look costs what a service has code. */
function paced(): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    const workedMs = performance.now() - sinceMs;
    if (workedMs < TURN_MS) return;
    await sleep(Math.ceil(workedMs * REST), undefined, { ref: false }); // nobody waits for it when the process ends
    sinceMs = performance.now();
  };
}
