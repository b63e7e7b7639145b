/**
 * Open evaluations, each folded as far as its blocks are closed. A judgement reads only the blocks that closed since
 * the last one; a new process, or one that finds that windows came late, folds again from the first block.
 */
import { withRoutes } from '../../detect/culprit-routes.ts';
import { type Forecast, forecast } from '../../detect/forecast.ts';
import {
  advanceGate,
  type GateEvaluation,
  type GateSettings,
  gateIsDecided,
  gateJudgement,
  openGateEvaluation,
} from '../../detect/gate-evaluation.ts';
import { type Block, blockEndMs, closedBlocks, cutBlock, type LookPlan } from '../../detect/looks.ts';
import type { PodWindow } from '../../detect/pod-window.ts';
import { HISTORY_MS } from '../../detect/request-spread.ts';
import type { GateJudgement } from '../../detect/verdict.ts';
import type { StoredServedRow } from '../../store/stored-served.ts';
import type { PodRef, WindowExtent, WindowQuery, WindowStore } from '../../store/window-store.ts';
import { giveWay, pieceOf } from '../give-way.ts';
import { BackendTrouble, type TroubledRead, withTrouble } from './backend-trouble.ts';
import type { JudgedWindows } from './late-windows.ts';
import type { ArmRefs } from './members.ts';
import { RAISED_HZ } from './sampling-rate.ts';
import { type WindowSource, windowSource } from './window-source.ts';

export interface JudgedEvaluation {
  /** Of its report. */
  readonly uid: string;
  readonly pods: ArmRefs;
  readonly settings: GateSettings;
  readonly startedAtMs: number;
  /** Event time: everything up to a look's patience before it has been told. */
  readonly nowMs: number;
}

export interface RunningEvaluations {
  /** Throws STORE_READ_FAILED; what had been folded by then stays. */
  judge(gate: string, evaluation: JudgedEvaluation): Promise<GateJudgement>;
  /** When what was judged last will be decided; undefined of one that is, and before there is something to go by. */
  forecast(gate: string): Forecast | undefined;
  /** What was judged last rests on these; undefined once it is not held any more. */
  restsOn(gate: string): JudgedWindows | undefined;
  /** The gate has no open evaluation any more. */
  drop(gate: string): void;
}

/** Held at once, a few megabytes each. With more, the one judged longest ago is folded anew when its turn comes. */
const MAX_HELD = 16;

interface Judged {
  readonly key: string;
  readonly judgement: GateJudgement;
  readonly forecast: Forecast | undefined;
  readonly restsOn: JudgedWindows;
}

interface Running {
  /** Of the evaluation, its settings and where windows come from: what is folded from others is of no use. */
  readonly identity: string;
  readonly folded: GateEvaluation;
  /** Number of the first block that is not folded. */
  nextBlock: number;
  /** Newest window of each container when the folded blocks were read. */
  seen: ReadonlyMap<string, number>;
  judged: Judged | undefined;
  readonly trouble: BackendTrouble;
}

interface Reading {
  readonly store: WindowStore;
  readonly source: WindowSource;
  readonly now: () => number;
}

/** `source`: where windows are read, of what the store knows; the store itself where nothing is said. */
export function runningEvaluations(
  store: WindowStore,
  source: WindowSource = windowSource({ store, now: Date.now }),
  now: () => number = Date.now,
): RunningEvaluations {
  const held = new Map<string, Running>();
  const reading = { store, source, now };
  let lastFold: Promise<unknown> = Promise.resolve();
  let foreseenMs = 0; // the last piece of the gate before, for which others have had nothing yet

  const judgeNow = async (gate: string, evaluation: JudgedEvaluation): Promise<GateJudgement> => {
    const closed = closedBlocks(planOf(evaluation), evaluation.nowMs);
    await giveWay(foreseenMs);
    const running = await runningOf(held.get(gate), evaluation, reading);
    hold(held, gate, running);
    const isBehind = await fold(running, { evaluation, closed, ...reading });
    const beganMs = performance.now();
    const hasWindows =
      running.folded.cpu.looks > 0 || extentsOf(store, evaluation, evaluation.nowMs).length > 0;
    const atMs = judgedAtMs(running, evaluation, isBehind && now());
    const judged = routed(gateJudgement(running.folded, atMs, hasWindows), evaluation, store);
    const judgement = withTrouble(judged, running.trouble);
    const restsOn = foldedWindows(running, evaluation, store);
    await giveWay(performance.now() - beganMs);
    const foreseeingMs = performance.now();
    const expected = judgement.verdict === 'Collecting' ? forecast(running.folded, RAISED_HZ) : undefined;
    running.judged = { key: isBehind ? '' : lookKey(evaluation), judgement, forecast: expected, restsOn };
    foreseenMs = performance.now() - foreseeingMs;
    return judgement;
  };

  return {
    async judge(gate, evaluation) {
      const known = held.get(gate);
      const isSame = known?.identity === identityOf(evaluation, source);
      if (isSame && known.judged?.key === lookKey(evaluation)) return known.judged.judgement;
      // One after the other: the blocks of several gates in one turn of the event loop would be a long turn.
      const fold = lastFold.then(() => judgeNow(gate, evaluation));
      lastFold = fold.catch(() => undefined); // the caller gets the error
      return fold;
    },
    forecast: (gate) => held.get(gate)?.judged?.forecast,
    restsOn: (gate) => held.get(gate)?.judged?.restsOn,
    drop: (gate) => void held.delete(gate),
  };
}

function foldedWindows(
  { nextBlock, seen }: Running,
  evaluation: JudgedEvaluation,
  store: WindowStore,
): JudgedWindows {
  const { pods, startedAtMs: fromMs } = evaluation;
  const toMs = nextBlock === 0 ? fromMs : blockEndMs(planOf(evaluation), nextBlock - 1);
  const query = { pods: [...pods.baseline, ...pods.canary], fromMs, toMs };
  return { storeId: store.storeId(), query, seen };
}

/** How long past the deadline a backend is waited for that does not give the last windows. */
const DEADLINE_PATIENCE_MS = 2 * 60_000;

/**
 * A verdict is judged as of the look at which it fell: whoever comes to it later, after the deadline even, says the same. `behindAtMs`:
 * the time by the clock, while windows are missing that may still be had; then nobody is at the deadline yet.
 */
function judgedAtMs(
  { folded, nextBlock }: Running,
  evaluation: JudgedEvaluation,
  behindAtMs: number | false,
): number {
  if (gateIsDecided(folded)) return blockEndMs(planOf(evaluation), nextBlock - 1);
  const deadlineMs = evaluation.startedAtMs + evaluation.settings.deadlineMs;
  const waits = behindAtMs !== false && behindAtMs < deadlineMs + DEADLINE_PATIENCE_MS;
  return waits ? Math.min(evaluation.nowMs, deadlineMs - 1) : evaluation.nowMs;
}

/** With the routes of its culprits, read only where there are any: once a look. */
function routed(
  judgement: GateJudgement,
  { pods, startedAtMs, nowMs }: JudgedEvaluation,
  store: WindowStore,
): GateJudgement {
  if (judgement.culprits.length === 0) return judgement;
  const span = { fromMs: startedAtMs, toMs: judgement.decidedAtMs ?? nowMs };
  return { ...judgement, culprits: withRoutes(judgement.culprits, rowsServed(store, pods.canary, span)) };
}

/** One pod's at a time: a quarter of an hour of one are megabytes. */
function* rowsServed(
  store: WindowStore,
  pods: readonly PodRef[],
  span: Pick<WindowQuery, 'fromMs' | 'toMs'>,
): Generator<StoredServedRow> {
  for (const pod of pods) {
    for (const { rows } of store.served({ pods: [pod], ...span })) yield* rows;
  }
}

const planOf = ({ startedAtMs, settings }: JudgedEvaluation): LookPlan => ({
  startedAtMs,
  deadlineMs: settings.deadlineMs,
  warmUpMs: settings.warmUpMs,
});

const identityOf = ({ uid, startedAtMs, settings }: JudgedEvaluation, source: WindowSource): string =>
  JSON.stringify([uid, startedAtMs, settings, source.id()]);

/**
 * A judgement can say something new only once another look has closed. In between, our own status writes and every
 * pod that changes wake us too.
 */
function lookKey(evaluation: JudgedEvaluation): string {
  const { nowMs, startedAtMs, settings } = evaluation;
  return `${closedBlocks(planOf(evaluation), nowMs)} ${nowMs >= startedAtMs + settings.deadlineMs}`;
}

async function runningOf(
  known: Running | undefined,
  evaluation: JudgedEvaluation,
  { store, source }: Reading,
): Promise<Running> {
  const identity = identityOf(evaluation, source);
  const isOfUse = known?.identity === identity && !windowsCameLate(known, evaluation, store);
  if (isOfUse && !known.trouble.lacksHistory) return known;
  const { settings, startedAtMs } = evaluation;
  const trouble = new BackendTrouble();
  const history = await trouble.read(() => historyOf(evaluation, source));
  trouble.lacksHistory = history === undefined;
  const folded = openGateEvaluation(settings, startedAtMs, history);
  return { identity, folded, nextBlock: 0, seen: new Map(), judged: undefined, trouble };
}

/** What the baseline's pods did before: how far pods stray that run the same. Without checks of requests nobody asks. */
async function historyOf(
  { pods, startedAtMs, settings }: JudgedEvaluation,
  source: WindowSource,
): Promise<TroubledRead<readonly PodWindow[]>> {
  if (settings.requests === undefined) return { value: [], reads: [] };
  const span = { fromMs: startedAtMs - HISTORY_MS, toMs: startedAtMs };
  const read = await source.windows({ pods: pods.baseline, ...span, requestsOnly: true });
  const isWarm = ({ startMs, podStartedAtMs }: PodWindow): boolean =>
    startMs - podStartedAtMs >= settings.warmUpMs;
  return { value: read.windows.filter(isWarm), reads: [read] };
}

/**
 * Whether a folded block would be another one now: an agent could not push for a while, agents fill an empty store
 * again, or an older pod turned out to be part of an arm. Windows that went by age do not count, and a verdict stays.
 */
function windowsCameLate(
  { folded, nextBlock, seen }: Running,
  evaluation: JudgedEvaluation,
  store: WindowStore,
): boolean {
  if (nextBlock === 0 || gateIsDecided(folded)) return false;
  const foldedToMs = blockEndMs(planOf(evaluation), nextBlock - 1);
  return extentsOf(store, evaluation, foldedToMs).some(
    ({ pod, newestId }) => newestId > (seen.get(pod) ?? 0),
  );
}

const extentsOf = (
  store: WindowStore,
  { pods, startedAtMs }: JudgedEvaluation,
  toMs: number,
): WindowExtent[] => store.extents({ pods: [...pods.baseline, ...pods.canary], fromMs: startedAtMs, toMs });

function hold(held: Map<string, Running>, gate: string, running: Running): void {
  held.delete(gate);
  held.set(gate, running);
  if (held.size <= MAX_HELD) return;
  for (const oldest of held.keys()) {
    held.delete(oldest);
    return;
  }
}

interface FoldRound extends Reading {
  readonly evaluation: JudgedEvaluation;
  readonly closed: number;
}

/** True: blocks that are closed could not be read yet. */
async function fold(running: Running, { evaluation, closed, store, source }: FoldRound): Promise<boolean> {
  if (running.trouble.lacksHistory) return true;
  if (closed <= running.nextBlock) return false;
  // Before the blocks are read: a window that arrives meanwhile is one that came late.
  const extents = extentsOf(store, evaluation, blockEndMs(planOf(evaluation), closed - 1));
  const seen = new Map(extents.map(({ pod, newestId }) => [pod, newestId]));
  while (running.nextBlock < closed && !gateIsDecided(running.folded)) {
    const { nextBlock } = running;
    // Both take tens of milliseconds: agents push in between.
    const readingMs = performance.now();
    const block = await running.trouble.read(() => readBlock(source, evaluation, nextBlock));
    if (block === undefined) break;
    await giveWay(performance.now() - readingMs);
    await pieceOf(() => {
      advanceGate(running.folded, block);
      running.nextBlock += 1;
    });
  }
  running.seen = seen;
  return running.nextBlock < closed && !gateIsDecided(running.folded);
}

async function readBlock(
  source: WindowSource,
  evaluation: JudgedEvaluation,
  number: number,
): Promise<TroubledRead<Block>> {
  const plan = planOf(evaluation);
  const span = {
    fromMs: plan.startedAtMs,
    endAfterMs: blockEndMs(plan, number - 1),
    toMs: blockEndMs(plan, number),
  };
  const { pods } = evaluation;
  const baseline = await source.windows({ ...span, pods: pods.baseline });
  const canary = await source.windows({ ...span, pods: pods.canary });
  const windows = { baseline: baseline.windows, canary: canary.windows };
  return { value: cutBlock(windows, plan, number), reads: [baseline, canary] };
}
