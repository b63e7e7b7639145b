/** Which Events a change of a gate's status is worth. Pure: transitions only, never a look. */
import type { RegressionGate, RegressionGateStatus } from '../../crds/regression-gate.ts';
import { findCondition } from '../../kube/conditions.ts';
import type { EventFacts } from '../../kube/events.ts';

type Said = Pick<EventFacts, 'type' | 'reason' | 'note'>;

/**
 * Ready becomes           False with a reason           → Warning
 * a new evaluation        opens                         → Normal Evaluating
 * the verdict becomes     Failed                        → Warning, the reason of Regressed
 *                         Passed                        → Normal NoRegression
 *                         Inconclusive                  → Warning, the reason of DataSufficient
 * a certification         was made                      → Normal or Warning, the reason of Certified
 */
export function gateEvents(gate: RegressionGate, after: RegressionGateStatus): readonly EventFacts[] {
  const { apiVersion, kind, metadata } = gate;
  const { name, namespace, uid } = metadata;
  const regarding = { apiVersion, kind, name, namespace, uid };
  const said = [notReady(gate, after), opened(gate, after), decided(gate, after), certified(gate, after)];
  return said
    .filter((event) => event !== undefined)
    .map((event) => ({ regarding, action: 'Evaluate', ...event }));
}

function notReady(gate: RegressionGate, after: RegressionGateStatus): Said | undefined {
  const now = findStatus(after, 'Ready');
  const before = findStatus(gate.status, 'Ready');
  if (now?.status !== 'False' || (before?.status === 'False' && before.reason === now.reason))
    return undefined;
  return { type: 'Warning', reason: now.reason, note: now.message };
}

function opened(gate: RegressionGate, after: RegressionGateStatus): Said | undefined {
  const { evaluation } = after;
  if (evaluation === undefined || isSameEvaluation(gate, after)) return undefined;
  const note = `evaluation ${evaluation.attempt} compares canary ${evaluation.canary} with baseline ${evaluation.baseline}`;
  return { type: 'Normal', reason: 'Evaluating', note };
}

function decided(gate: RegressionGate, after: RegressionGateStatus): Said | undefined {
  if (isSameEvaluation(gate, after) && gate.status?.verdict === after.verdict) return undefined;
  const { summary: note = '', verdict = 'Waiting' } = after;
  switch (verdict) {
    case 'Failed':
      return { type: 'Warning', reason: findStatus(after, 'Regressed')?.reason ?? 'FunctionGrew', note };
    case 'Passed':
      return { type: 'Normal', reason: 'NoRegression', note };
    case 'Inconclusive':
      return {
        type: 'Warning',
        reason: findStatus(after, 'DataSufficient')?.reason ?? 'DeadlineReached',
        note,
      };
    case 'Waiting':
    case 'Collecting':
      return undefined;
  }
}

function certified(gate: RegressionGate, after: RegressionGateStatus): Said | undefined {
  const { certification } = after;
  const condition = findStatus(after, 'Certified');
  if (certification === undefined || certification.at === gate.status?.certification?.at) return undefined;
  if (condition === undefined || condition.status === 'Unknown') return undefined;
  const type = condition.status === 'True' ? 'Normal' : 'Warning';
  return { type, reason: condition.reason, note: certification.summary };
}

const isSameEvaluation = (gate: RegressionGate, after: RegressionGateStatus): boolean =>
  gate.status?.evaluation?.report === after.evaluation?.report;

const findStatus = (status: RegressionGateStatus | undefined, type: string) =>
  findCondition(
    status?.conditions?.map(({ observedGeneration: _, ...condition }) => condition),
    type,
  );
