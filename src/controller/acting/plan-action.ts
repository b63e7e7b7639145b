/**
 * What to do about the rollout of a gate's target. Pure. `acts`: the gate's mode is HoldRollout, or its onFailed is not Report. How the
 * revision stands: Go (Passed, or Inconclusive with onInconclusive Pass), Stop (Failed, or Inconclusive with Fail), Stay (Inconclusive
 * with Hold), Wait (not decided). What could not even be compared within the deadline of a hold is Inconclusive, too.
 *
 *    the workload              | the gate, the revision                | → step, and what is said
 *  1 has our pause, of another | any                                   | none; LeftAlone HeldByAnotherGate
 *    gate                      |                                       |
 *  2 has our pause, and asks   | any                                   | release; Released NewerRevision
 *    for a newer revision      |                                       |
 *  3 has our pause, undecided  | is gone, or acts no more              | release; Released GateChanged
 *  4 has our pause, decided    | is gone, or acts no more              | none: what was proven to be worse goes on by hand only
 *  5 has our pause             | Go                                    | release; Released
 *  6 has our pause             | Stop, Stay                            | its annotation says why; Paused
 *  7 has our pause             | Wait                                  | none; Holding, or Paused as before
 *  8 any                       | acts no more                          | none
 *  9 had our pause or abort    | not Go                                | none; Overruled
 * 10 any                       | Overruled, Aborted, or released before| none, as before; but Stop by a later report goes on below
 * 11 any                       | Go, Stay                              | none
 * 12 rolls nothing out         | Stop                                  | none; LeftAlone RolledOut
 * 13 goes back                 | Stop, Wait                            | none; LeftAlone Rollback
 * 14 is aborted, Abort         | Stop                                  | none; Aborted, or LeftAlone AbortedByOthers
 * 15 rolls out, Abort          | Stop                                  | abort; Aborted
 * 16 is paused, not by us      | Stop, or Wait and HoldRollout         | none; LeftAlone PausedByOthers
 * 17 rolls out                 | Stop, or Wait and HoldRollout         | pause; Paused, or Holding
 */
import type { GateAction } from '../../crds/gate-action.ts';
import { parseDurationMs } from '../../crds/quantities.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { actionMessage, undoLine } from './action-message.ts';
import type { PauseMark } from './pause-mark.ts';
import type { Steered } from './steered.ts';

export interface ActionFacts {
  readonly gate: RegressionGate;
  readonly target: Steered;
  /** All of this gate, newest first. */
  readonly reports: readonly RegressionReport[];
  readonly nowMs: number;
}

export type ActionStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'pause'; readonly mark: PauseMark }
  | { readonly kind: 'release' }
  | { readonly kind: 'abort' };

export interface ActionPlan {
  readonly step: ActionStep;
  /** What is so once the step is taken; undefined: nothing to be said. */
  readonly says?: GateAction;
}

type Reason = GateAction['reason'];
type Stand =
  | { readonly kind: 'Go' | 'Stop' | 'Stay'; readonly reason: Reason }
  | { readonly kind: 'Wait'; readonly reason: 'Undecided' };

const NONE: ActionStep = { kind: 'none' };

export const acts = ({ spec }: RegressionGate): boolean =>
  spec.mode === 'HoldRollout' || (spec.onFailed ?? 'Report') !== 'Report';

export function planAction(facts: ActionFacts): ActionPlan {
  const { gate, target } = facts;
  const mark = target.isPaused && target.isPausedByUs ? target.mark : undefined;
  return mark === undefined
    ? acts(gate)
      ? whileGoing(facts)
      : { step: NONE }
    : mark.gate === gate.metadata.name
      ? whilePaused(facts, mark)
      : said(facts, NONE, 'LeftAlone', 'HeldByAnotherGate');
}

/** Of a pause whose gate is gone. */
export const planWithoutGate = ({ isPaused, isPausedByUs, mark }: Steered): ActionStep =>
  isPaused && isPausedByUs && mark?.why === 'Undecided' ? { kind: 'release' } : NONE;

function whilePaused(facts: ActionFacts, mark: PauseMark): ActionPlan {
  const { gate, target } = facts;
  const release: ActionStep = { kind: 'release' };
  if (target.asksForAnother || mark.revision !== target.revision) {
    return said({ ...facts, about: mark.revision }, release, 'Released', 'NewerRevision');
  }
  if (!acts(gate)) {
    return mark.why === 'Undecided' ? said(facts, release, 'Released', 'GateChanged') : { step: NONE };
  }
  const stand = standOf(facts, Date.parse(mark.since));
  switch (stand.kind) {
    case 'Go':
      return said(facts, release, 'Released', stand.reason);
    case 'Stop':
    case 'Stay': {
      const { reason: why } = stand;
      return said(facts, mark.why === why ? NONE : { kind: 'pause', mark: { ...mark, why } }, 'Paused', why);
    }
    case 'Wait':
      return mark.why === 'Undecided'
        ? said(facts, NONE, 'Holding', 'Undecided')
        : said(facts, NONE, 'Paused', mark.why);
  }
}

function whileGoing(facts: ActionFacts): ActionPlan {
  const { gate, target } = facts;
  const stand = standOf(facts, undefined);
  const { action } = gate.status ?? {};
  const before = action?.revision === target.revision ? action : undefined;
  switch (before?.state) {
    case 'Holding':
    case 'Paused':
      return stand.kind === 'Go'
        ? said(facts, NONE, 'Released', stand.reason)
        : said(facts, NONE, 'Overruled', 'ResumedByOthers');
    case 'Aborted':
      return target.isAborted
        ? { step: NONE, says: before }
        : said(facts, NONE, 'Overruled', 'RetriedByOthers');
    case 'Overruled':
      return { step: NONE, says: before };
    case 'Released':
      if (stand.kind === 'Stop' && reportFor(facts)?.metadata.name !== before.report) break;
      return { step: NONE, says: before };
    case 'LeftAlone':
    case 'Refused':
    case undefined:
      if (isResumed(target, gate)) return said(facts, NONE, 'Overruled', 'ResumedByOthers');
  }
  return anew(facts, stand);
}

/** Nobody wrote down that we paused this revision, but the workload itself says so. */
const isResumed = ({ mark, revision }: Steered, { metadata }: RegressionGate): boolean =>
  mark?.gate === metadata.name && mark.revision === revision;

function anew(facts: ActionFacts, stand: Stand): ActionPlan {
  const { gate, target, nowMs } = facts;
  const { mode, onFailed } = gate.spec;
  const stops = stand.kind === 'Stop';
  const holds = mode === 'HoldRollout' && stand.kind === 'Wait';
  if ((!stops && !holds) || target.asksForAnother) return { step: NONE };
  if (!target.isRollingOut) return stops ? said(facts, NONE, 'LeftAlone', 'RolledOut') : { step: NONE };
  if (target.isRollback) return said(facts, NONE, 'LeftAlone', 'Rollback');
  if (stops && onFailed === 'Abort') {
    if (target.isAbortedByUs) return said(facts, NONE, 'Aborted', stand.reason);
    if (target.isAborted) return said(facts, NONE, 'LeftAlone', 'AbortedByOthers');
    return said(facts, { kind: 'abort' }, 'Aborted', stand.reason);
  }
  if (target.isPaused) return said(facts, NONE, 'LeftAlone', 'PausedByOthers');
  const mark: PauseMark = {
    ...{ gate: gate.metadata.name, revision: target.revision },
    ...{ since: new Date(nowMs).toISOString(), why: stand.reason },
  };
  return said(facts, { kind: 'pause', mark }, stops ? 'Paused' : 'Holding', stand.reason);
}

/** `heldSinceMs`: since when the rollout waits for us. */
function standOf(facts: ActionFacts, heldSinceMs: number | undefined): Stand {
  const { gate, nowMs } = facts;
  const { verdict, decidedAt } = reportFor(facts)?.status ?? {};
  if (decidedAt !== undefined) {
    switch (verdict) {
      case 'Passed':
        return { kind: 'Go', reason: 'Passed' };
      case 'Failed':
        return { kind: 'Stop', reason: 'Failed' };
      case 'Inconclusive':
        return inconclusive(gate, 'Inconclusive');
      case 'Collecting':
      case undefined:
        break;
    }
  }
  const isLate =
    heldSinceMs !== undefined && nowMs >= heldSinceMs + parseDurationMs(gate.spec.duration.deadline);
  if (isLate && reportFor(facts) === undefined) return inconclusive(gate, 'NothingCompared');
  return { kind: 'Wait', reason: 'Undecided' };
}

function inconclusive({ spec }: RegressionGate, reason: Reason): Stand {
  switch (spec.onInconclusive ?? 'Hold') {
    case 'Pass':
      return { kind: 'Go', reason };
    case 'Hold':
      return { kind: 'Stay', reason };
    case 'Fail':
      return { kind: 'Stop', reason };
  }
}

/** Of this very pair, by what the gate asks for now. */
const reportFor = ({ gate, target, reports }: ActionFacts): RegressionReport | undefined =>
  reports.find(
    ({ spec }) =>
      spec.canaryHash === target.revision &&
      (spec.baselineHash === target.baseline || target.baseline === '') &&
      spec.gateGeneration === gate.metadata.generation,
  );

/** `about`: the revision, where it is not the newest. */
function said(
  facts: ActionFacts & { readonly about?: string },
  step: ActionStep,
  state: GateAction['state'],
  reason: Reason,
): ActionPlan {
  const { gate, target, nowMs } = facts;
  const { about: revision = target.revision } = facts;
  const report = reportFor(facts);
  const undo = state === 'Paused' ? undoLine(target) : undefined;
  const before = gate.status?.action;
  const isAsBefore = before?.state === state && before.reason === reason && before.revision === revision;
  const says: GateAction = {
    ...{ state, reason, revision },
    message: actionMessage({ state, reason, revision }, target, gate, report),
    ...(report === undefined ? {} : { report: report.metadata.name }),
    ...(undo === undefined ? {} : { undo }),
    at: isAsBefore ? before.at : new Date(nowMs).toISOString(),
  };
  return { step, says };
}
