/** RegressionGate: a standing comparison of a workload's canary with its baseline. */
import { type Static, Type } from '@sinclair/typebox';
import {
  conditions,
  duration,
  type Kind,
  LabelSelector,
  objectName,
  oneOf,
  percentage,
  type Resource,
} from './schema.ts';

export const VERDICTS = ['Waiting', 'Collecting', 'Passed', 'Failed', 'Inconclusive'] as const;
export type GateVerdict = (typeof VERDICTS)[number];

const arm = (description: string) =>
  Type.Object({ podSelector: Type.Unsafe<LabelSelector>({ ...LabelSelector }) }, { description });

export const RegressionGateSpec = Type.Object(
  {
    targetRef: Type.Optional(
      Type.Object(
        {
          apiVersion: oneOf(['apps/v1'], { default: 'apps/v1' }),
          kind: oneOf(['Deployment']),
          name: objectName('Name of the workload in this namespace.'),
        },
        {
          description:
            'The workload whose newest revision is compared with the one before. Give either targetRef or baseline and canary.',
        },
      ),
    ),
    baseline: Type.Optional(arm('The pods that are known to be good.')),
    canary: Type.Optional(arm('The pods that are on trial.')),
    checks: Type.Object(
      {
        cpu: Type.Object(
          {
            function: Type.Object(
              {
                margin: percentage({
                  default: '0.5%',
                  description:
                    "How much more of the pod's CPU one function may take. Failed: more than this, and proven; Passed: every function proven below it.",
                }),
              },
              { default: {}, description: 'CPU of each function, alone and with its callees.' },
            ),
          },
          { default: {}, description: 'CPU, by function.' },
        ),
      },
      { default: {}, description: 'What is compared, each with one margin.' },
    ),
    falseFailureRate: percentage({
      default: '1%',
      description: 'Chance that a harmless canary is ever called Failed, over one whole evaluation.',
    }),
    duration: Type.Object(
      {
        warmUp: duration({
          default: '2m',
          description: 'Pods younger than this are left out on both sides: the JVM still compiles.',
        }),
        min: duration({ default: '3m', description: 'No Passed before this.' }),
        deadline: duration({ default: '30m', description: 'Inconclusive when nothing is proven by then.' }),
      },
      { default: {}, description: 'How long an evaluation takes at least and at most.' },
    ),
    reportHistoryLimit: Type.Integer({
      minimum: 1,
      maximum: 50,
      default: 10,
      description: 'How many RegressionReports of this gate are kept.',
    }),
  },
  {
    'x-kubernetes-validations': [
      {
        rule: 'has(self.targetRef) != (has(self.baseline) || has(self.canary))',
        message: 'give either targetRef, or baseline and canary',
      },
      {
        rule: 'has(self.baseline) == has(self.canary)',
        message: 'baseline and canary belong together: give both',
      },
      {
        rule: 'duration(self.duration.min) < duration(self.duration.deadline)',
        message: 'duration.min must be shorter than duration.deadline',
        fieldPath: '.duration.min',
      },
      {
        rule: "duration(self.duration.deadline) <= duration('24h')",
        message: 'duration.deadline may be 24h at most',
        fieldPath: '.duration.deadline',
      },
    ],
  },
);
export type RegressionGateSpec = Static<typeof RegressionGateSpec>;

export const RegressionGateStatus = Type.Object({
  observedGeneration: Type.Optional(Type.Integer({ minimum: 0 })),
  conditions: Type.Optional(conditions),
  target: Type.Optional(
    Type.String({ maxLength: 253, description: 'What is compared, as a reader names it.' }),
  ),
  verdict: Type.Optional(oneOf(VERDICTS)),
  evaluation: Type.Optional(
    Type.Object({
      baseline: Type.String({ maxLength: 128, description: 'Revision hash of the baseline.' }),
      canary: Type.String({ maxLength: 128, description: 'Revision hash of the canary.' }),
      attempt: Type.Integer({ minimum: 1 }),
      report: Type.String({ maxLength: 253, description: 'Name of the RegressionReport.' }),
      startedAt: Type.String({ format: 'date-time' }),
    }),
  ),
  cpuDelta: Type.Optional(
    Type.String({ maxLength: 32, description: "The worst function's change, as a share of the pod's CPU." }),
  ),
  worst: Type.Optional(Type.String({ maxLength: 256, description: 'The function that grew most.' })),
  summary: Type.Optional(Type.String({ maxLength: 1024, description: 'The verdict in a sentence.' })),
});
export type RegressionGateStatus = Static<typeof RegressionGateStatus>;

export type RegressionGate = Resource<RegressionGateSpec, RegressionGateStatus>;

export const regressionGateKind: Kind = {
  kind: 'RegressionGate',
  plural: 'regressiongates',
  singular: 'regressiongate',
  shortNames: ['rgate'],
  description: 'Compares the canary of a workload with its baseline and says Passed, Failed or Inconclusive.',
  spec: RegressionGateSpec,
  status: RegressionGateStatus,
  columns: [
    { name: 'Target', type: 'string', jsonPath: '.status.target' },
    { name: 'Verdict', type: 'string', jsonPath: '.status.verdict' },
    { name: 'CPUΔ', type: 'string', jsonPath: '.status.cpuDelta', description: "Share of the pod's CPU" },
    { name: 'Worst', type: 'string', jsonPath: '.status.worst' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Baseline', type: 'string', jsonPath: '.status.evaluation.baseline', priority: 1 },
    { name: 'Canary', type: 'string', jsonPath: '.status.evaluation.canary', priority: 1 },
    { name: 'Summary', type: 'string', jsonPath: '.status.summary', priority: 1 },
  ],
};
