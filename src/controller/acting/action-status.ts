/** What was done about a rollout as a condition of the gate, and as Events of the gate and of the workload. Pure. */
import type { RegressionGateReasons } from '../../crds/condition-types.ts';
import type { GateAction } from '../../crds/gate-action.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { EventFacts } from '../../kube/events.ts';
import { acts } from './plan-action.ts';
import type { Taken } from './take-action.ts';

export interface StoppedCondition {
  readonly status: 'True' | 'False';
  readonly reason: RegressionGateReasons['RolloutStopped'];
  readonly message: string;
}

type State = GateAction['state'];

const REASONS: Readonly<Record<State, RegressionGateReasons['RolloutStopped']>> = {
  Holding: 'Held',
  Paused: 'Paused',
  Aborted: 'Aborted',
  Released: 'Released',
  Overruled: 'Overruled',
  LeftAlone: 'LeftAlone',
  Refused: 'Refused',
};

export const STOPPED: readonly State[] = ['Holding', 'Paused', 'Aborted'];

/** Undefined of a gate that does not act. */
export function stoppedCondition(
  gate: RegressionGate,
  action: GateAction | undefined,
): StoppedCondition | undefined {
  if (action === undefined) {
    return acts(gate)
      ? { status: 'False', reason: 'Idle', message: 'no rollout is stopped by this gate' }
      : undefined;
  }
  const { state, message } = action;
  return { status: STOPPED.includes(state) ? 'True' : 'False', reason: REASONS[state], message };
}

const WARNINGS: readonly State[] = ['Paused', 'Aborted', 'Refused'];

/** Where something was done, or could not be, since the gate's last status. */
export function actionEvents(
  gate: RegressionGate,
  { action: after, regarding: target }: Taken,
): readonly EventFacts[] {
  const before = gate.status?.action;
  const isNews =
    after !== undefined &&
    (before?.state !== after.state || before.reason !== after.reason || before.revision !== after.revision);
  if (!isNews) return [];
  const { apiVersion, kind, metadata } = gate;
  const { name, namespace, uid } = metadata;
  const said = {
    type: WARNINGS.includes(after.state) ? ('Warning' as const) : ('Normal' as const),
    ...{ reason: `Rollout${REASONS[after.state]}`, note: after.message, action: 'StopRollout' },
  };
  const ofGate = { regarding: { apiVersion, kind, name, namespace, uid }, ...said };
  if (target === undefined || !CHANGES_IT.includes(after.state)) return [ofGate];
  return [ofGate, { ...said, regarding: target, note: `gate ${name}: ${after.message}` }];
}

const CHANGES_IT: readonly State[] = ['Holding', 'Paused', 'Aborted', 'Released'];
