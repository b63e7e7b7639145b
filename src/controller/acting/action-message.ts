/** What was done about a rollout, and why, in a sentence; and the command that takes it back. Pure. */
import type { GateAction } from '../../crds/gate-action.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import type { Steered } from './steered.ts';

type Reason = GateAction['reason'];

const MAX_MESSAGE = 1024; // the bound in the kind

export function actionMessage(
  { state, reason, revision }: Pick<GateAction, 'state' | 'reason' | 'revision'>,
  target: Steered,
  gate: RegressionGate,
  report: RegressionReport | undefined,
): string {
  const what = `${target.kind}/${target.name}`;
  const said = report?.status?.decidedAt === undefined ? '' : (report.status.message ?? '');
  const because = said === '' ? reason : `${reason}: ${said}`;
  const sentence = (): string => {
    switch (state) {
      case 'Holding':
        return `${what} is paused while ${revision} is compared with ${target.baseline}; what cannot be compared is Inconclusive ${gate.spec.duration.deadline} after the pause`;
      case 'Paused':
        return `${what} stays paused, ${revision} goes no further: ${because}`;
      case 'Aborted':
        return `${what} was aborted, its traffic is ${target.baseline}'s again: ${because}`;
      case 'Released':
        return `the pause of ${what} for ${revision} is off: ${released(reason, target, said)}`;
      case 'Overruled':
        return `somebody ${reason === 'RetriedByOthers' ? 'retried' : 'resumed'} ${what} with ${revision}: it is left alone until another revision`;
      case 'LeftAlone':
        return leftAlone(reason, what, target);
      case 'Refused':
        return `${what} cannot be acted on: ${reason}`;
    }
  };
  return sentence().slice(0, MAX_MESSAGE);
}

function released(reason: Reason, target: Steered, said: string): string {
  const known: Partial<Record<Reason, string>> = {
    NewerRevision: 'a newer template is asked for, and is compared anew',
    GateChanged: 'its gate acts no more',
    NothingCompared: 'nothing could be compared in time, and onInconclusive is Pass',
  };
  return known[reason] ?? (said === '' ? `${reason} against ${target.baseline}` : `${reason}: ${said}`);
}

function leftAlone(reason: Reason, what: string, { revision, baseline, mark }: Steered): string {
  const known: Partial<Record<Reason, string>> = {
    RolledOut: `${revision} had been rolled out before it was decided: nothing of ${what} is left to stop`,
    Rollback: `${what} goes back to ${revision}, which is older than ${baseline}: that is not stopped`,
    AbortedByOthers: `${what} had been aborted already`,
    PausedByOthers: `somebody else paused ${what}: it is not released by this gate`,
    HeldByAnotherGate: `gate ${mark?.gate ?? ''} has paused ${what}`,
  };
  return known[reason] ?? `${what}: ${reason}`;
}

/**
 * A paused Deployment refuses `kubectl rollout undo`; between the two it goes on for the moment that takes. A Rollout that is paused by its
 * spec scales nothing, not even when aborted (1.8.5, rollout/canary.go: haltProgress).
 */
export function undoLine({ kind, namespace, name }: Steered): string {
  switch (kind) {
    case 'Deployment': {
      const rollout = (verb: string) => `kubectl rollout ${verb} -n ${namespace} deployment/${name}`;
      return `${rollout('resume')} && ${rollout('undo')}`;
    }
    case 'Rollout': {
      const resume = `kubectl patch rollouts.argoproj.io -n ${namespace} ${name} --type merge -p '{"spec":{"paused":null}}'`;
      return `kubectl argo rollouts abort -n ${namespace} ${name} && ${resume}`;
    }
  }
}
