/** RegressionReport: what one evaluation of a gate found. Written by the controller, kept as a record. */
import { type Static, Type } from '@sinclair/typebox';
import { type Kind, oneOf, type Resource } from './schema.ts';

const share = (description: string) => Type.String({ maxLength: 32, description });

export const RegressionReportSpec = Type.Object(
  {
    gate: Type.String({ maxLength: 253, description: 'The RegressionGate that asked.' }),
    gateGeneration: Type.Integer({ minimum: 1, description: 'The generation of the gate that was judged.' }),
    baselineHash: Type.String({ maxLength: 128 }),
    canaryHash: Type.String({ maxLength: 128 }),
    images: Type.Object({
      baseline: Type.Array(Type.String({ maxLength: 512 }), { maxItems: 16 }),
      canary: Type.Array(Type.String({ maxLength: 512 }), { maxItems: 16 }),
    }),
    attempt: Type.Integer({ minimum: 1 }),
  },
  {
    'x-kubernetes-validations': [
      { rule: 'self == oldSelf', message: 'a report describes one evaluation and cannot be changed' },
    ],
  },
);
export type RegressionReportSpec = Static<typeof RegressionReportSpec>;

export const ReportCheck = Type.Object({
  check: Type.String({ maxLength: 64, description: 'Which check, for example cpu.function.' }),
  subject: Type.Optional(
    Type.String({ maxLength: 512, description: 'What it speaks of: the worst function.' }),
  ),
  baseline: share('The baseline, as a share of CPU.'),
  canary: share('The canary, as a share of CPU.'),
  delta: share('Canary less baseline.'),
  interval: Type.Array(Type.String({ maxLength: 32 }), { minItems: 2, maxItems: 2 }),
  margin: share('The largest change that is accepted.'),
  detectable: share('The smallest change that could have been seen by now.'),
  verdict: oneOf(['Collecting', 'Passed', 'Failed', 'Inconclusive']),
});
export type ReportCheck = Static<typeof ReportCheck>;

export const Culprit = Type.Object({
  function: Type.String({ maxLength: 512 }),
  kind: oneOf(['New', 'Grown', 'Moved']),
  baseline: share("The function's share of the baseline's CPU."),
  canary: share("The function's share of the canary's CPU."),
  delta: share('Canary less baseline.'),
  interval: Type.Array(Type.String({ maxLength: 32 }), { minItems: 2, maxItems: 2 }),
  shareOfDelta: share('How much of the whole increase this function explains.'),
  stack: Type.Array(Type.String({ maxLength: 512 }), {
    maxItems: 64,
    description: 'The commonest canary stack through the function, leaf first.',
  }),
});
export type Culprit = Static<typeof Culprit>;

export const RegressionReportStatus = Type.Object({
  verdict: Type.Optional(oneOf(['Collecting', 'Passed', 'Failed', 'Inconclusive'])),
  reason: Type.Optional(Type.String({ maxLength: 128 })),
  message: Type.Optional(Type.String({ maxLength: 2048 })),
  startedAt: Type.Optional(Type.String({ format: 'date-time' })),
  decidedAt: Type.Optional(Type.String({ format: 'date-time' })),
  latched: Type.Optional(Type.Boolean({ description: 'A Failed stays, whatever comes later.' })),
  pods: Type.Optional(
    Type.Object({ baseline: Type.Integer({ minimum: 0 }), canary: Type.Integer({ minimum: 0 }) }),
  ),
  samples: Type.Optional(
    Type.Object({ baseline: Type.Integer({ minimum: 0 }), canary: Type.Integer({ minimum: 0 }) }),
  ),
  checks: Type.Optional(Type.Array(ReportCheck, { maxItems: 16 })),
  culprits: Type.Optional(Type.Array(Culprit, { maxItems: 10 })),
  flags: Type.Optional(
    Type.Array(Type.String({ maxLength: 256 }), {
      maxItems: 16,
      description: 'What a reader must know of the data, for example AssumedVariance.',
    }),
  ),
});
export type RegressionReportStatus = Static<typeof RegressionReportStatus>;

export type RegressionReport = Resource<RegressionReportSpec, RegressionReportStatus>;

export const regressionReportKind: Kind = {
  kind: 'RegressionReport',
  plural: 'regressionreports',
  singular: 'regressionreport',
  shortNames: ['rreport'],
  description:
    'What one evaluation of a RegressionGate found: effect, interval, culprits and the quality of the data.',
  spec: RegressionReportSpec,
  status: RegressionReportStatus,
  columns: [
    { name: 'Gate', type: 'string', jsonPath: '.spec.gate' },
    { name: 'Verdict', type: 'string', jsonPath: '.status.verdict' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason' },
    { name: 'CPUΔ', type: 'string', jsonPath: '.status.checks[0].delta' },
    { name: 'Culprit', type: 'string', jsonPath: '.status.culprits[0].function' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Baseline', type: 'string', jsonPath: '.spec.baselineHash', priority: 1 },
    { name: 'Canary', type: 'string', jsonPath: '.spec.canaryHash', priority: 1 },
  ],
};
