/** What a gate may do about the rollout it judges, where its spec asks for that, and what it did. */
import { type Static, Type } from '@sinclair/typebox';
import { type CelRule, oneOf } from './schema.ts';

export const GateMode = oneOf(['Concurrent', 'HoldRollout'], {
  default: 'Concurrent',
  description:
    'Concurrent: both revisions run by what the rollout does. HoldRollout, of a Deployment only: its rollout is paused when a new ReplicaSet has pods, decided on the pods there are by then, and released when Passed. Failed stays paused whatever onFailed says.',
});

export const OnFailed = oneOf(['Report', 'Pause', 'Abort'], {
  default: 'Report',
  description:
    'What is done about a rollout that is proven to be worse. Report: nothing. Pause: it goes no further (Deployment, Rollout). Abort: back to the stable revision (Rollout only). Nothing is ever promoted.',
});

export const OnInconclusive = oneOf(['Pass', 'Hold', 'Fail'], {
  default: 'Hold',
  description:
    'What becomes, where the gate acts or Flagger’s webhooks ask, of a rollout of which nothing was proven by the deadline. Pass: a hold is released. Hold: it stays as it is for somebody to look at. Fail: as Failed.',
});

/** Of RegressionGateSpec: what no kind of workload can do is refused when the gate is written. */
export const ACTING_RULES: readonly CelRule[] = [
  {
    rule: "!has(self.mode) || self.mode == 'Concurrent' || (has(self.targetRef) && self.targetRef.kind == 'Deployment')",
    message:
      'mode HoldRollout is for a Deployment: a Rollout is held by its steps, a StatefulSet by its partition, a Canary by its analysis, and two selectors are no rollout',
    fieldPath: '.mode',
  },
  {
    rule: "!has(self.onFailed) || self.onFailed == 'Report' || (has(self.targetRef) && (self.targetRef.kind == 'Rollout' || (self.targetRef.kind == 'Deployment' && self.onFailed == 'Pause')))",
    message:
      "onFailed Pause is for a Deployment or a Rollout, Abort for a Rollout: nothing else has a pause that is not its owner's own field",
    fieldPath: '.onFailed',
  },
];

export const ACTION_STATES = [
  'Holding',
  'Paused',
  'Aborted',
  'Released',
  'Overruled',
  'LeftAlone',
  'Refused',
] as const;

export const ACTION_REASONS = [
  'Undecided',
  'Passed',
  'Failed',
  'Inconclusive',
  'NothingCompared',
  'NewerRevision',
  'GateChanged',
  'ResumedByOthers',
  'RetriedByOthers',
  'PausedByOthers',
  'AbortedByOthers',
  'HeldByAnotherGate',
  'RolledOut',
  'Rollback',
  'NotPermitted',
  'Conflict',
  'Invalid',
] as const;

export const GateAction = Type.Object(
  {
    state: oneOf(ACTION_STATES, {
      description:
        'Holding: paused until it is decided. Paused: it stays paused. Aborted: it went back. Released: our pause is off. Overruled: somebody undid what was done, and nothing more is done to this revision. LeftAlone: something was to be done and was not needed or not fit. Refused: the API server said no.',
    }),
    reason: oneOf(ACTION_REASONS, { description: 'Why, in one stable word.' }),
    message: Type.String({ maxLength: 1024, description: 'Why, in a sentence.' }),
    revision: Type.String({ maxLength: 128, description: 'Hash of the revision it was done about.' }),
    report: Type.Optional(
      Type.String({ maxLength: 253, description: 'The RegressionReport it was done for.' }),
    ),
    undo: Type.Optional(
      Type.String({ maxLength: 512, description: 'The command line that takes the rollout back.' }),
    ),
    at: Type.String({ format: 'date-time', description: 'Since when it is so.' }),
  },
  { description: 'What was done about the newest rollout. Absent: nothing, or nobody asked for it.' },
);
export type GateAction = Static<typeof GateAction>;
