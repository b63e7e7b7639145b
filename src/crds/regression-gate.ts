/** RegressionGate: a standing comparison of a workload's canary with its baseline. */
import { type Static, Type } from '@sinclair/typebox';
import { GateCertification } from './certification.ts';
import { ACTING_RULES, GateAction, GateMode, OnFailed, OnInconclusive } from './gate-action.ts';
import { GateEvidence } from './gate-evidence.ts';
import {
  conditions,
  DNS_LABEL,
  duration,
  type Kind,
  LabelSelector,
  latency,
  objectName,
  observedGeneration,
  oneOf,
  percentage,
  type Resource,
} from './schema.ts';
import { TARGET_KINDS } from './target-kinds.ts';

export const GATE_VERDICTS = ['Waiting', 'Collecting', 'Passed', 'Failed', 'Inconclusive'] as const;

const arm = (description: string) =>
  Type.Object(
    {
      podSelector: Type.Unsafe<LabelSelector>({
        ...LabelSelector,
        description: 'Labels of the pods, in this namespace.',
      }),
    },
    { description },
  );

/** As the kind spells them, and as numbers. */
export const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, 'p99.9': 0.999 } as const;
const quantileNames = ['p50', 'p90', 'p95', 'p99', 'p99.9'] as const;

const required = Type.Boolean({
  default: false,
  description: 'True: nothing passes while requests cannot be seen. False: then only the rest is compared.',
});

const LatencyCheck = Type.Object({
  quantile: oneOf(quantileNames, {
    description: 'Which latency: p99 is that of all but the slowest hundredth.',
  }),
  margin: Type.Object(
    {
      relative: Type.Optional(percentage({ description: "As a part of the baseline's." })),
      absolute: Type.Optional(latency({ description: 'In milliseconds or seconds.' })),
    },
    {
      default: { relative: '10%', absolute: '2ms' },
      description:
        'How much slower the canary may be. Of both, the larger counts. Failed: more than this, and proven; Passed: proven below it.',
      'x-kubernetes-validations': [
        { rule: 'has(self.relative) || has(self.absolute)', message: 'give relative, absolute or both' },
      ],
    },
  ),
  required,
});

const falseFailureRatePercent = "double(self.falseFailureRate.replace('%', ''))";

// CEL has no equality of two objects of different schema nodes; plain labels, the usual case, can be compared.
const selectorsAreEqual = [
  'has(self.baseline.podSelector.matchLabels)',
  'has(self.canary.podSelector.matchLabels)',
  '!has(self.baseline.podSelector.matchExpressions)',
  '!has(self.canary.podSelector.matchExpressions)',
  'self.baseline.podSelector.matchLabels == self.canary.podSelector.matchLabels',
].join(' && ');

const apiVersionOfKind = (['Rollout', 'Canary'] as const).reduceRight<string>(
  (otherwise, kind) => `self.kind == '${kind}' ? '${TARGET_KINDS[kind].apiVersion}' : ${otherwise}`,
  `'${TARGET_KINDS.Deployment.apiVersion}'`,
);

export const RegressionGateSpec = Type.Object(
  {
    targetRef: Type.Optional(
      Type.Object(
        {
          apiVersion: oneOf(['apps/v1', 'argoproj.io/v1alpha1', 'flagger.app/v1beta1'], {
            default: 'apps/v1',
            description: 'API version of the workload.',
          }),
          kind: oneOf(['Deployment', 'StatefulSet', 'Rollout', 'Canary'], {
            default: 'Deployment',
            description:
              'Kind of the workload: Rollout is that of Argo Rollouts, Canary that of Flagger. All but Deployment need a role of their own (config/targets).',
          }),
          name: objectName('Name of the workload in this namespace.'),
        },
        {
          description:
            'The workload whose newest revision is compared with the one before. Give either targetRef or baseline and canary.',
          'x-kubernetes-validations': [
            {
              rule: `self.apiVersion == (${apiVersionOfKind})`,
              message:
                'apiVersion must be that of kind: apps/v1 of Deployment and StatefulSet, argoproj.io/v1alpha1 of Rollout, flagger.app/v1beta1 of Canary',
              fieldPath: '.apiVersion',
            },
          ],
        },
      ),
    ),
    baseline: Type.Optional(arm('The pods that are known to be good.')),
    canary: Type.Optional(arm('The pods that are on trial.')),
    mode: Type.Optional(GateMode),
    onFailed: Type.Optional(OnFailed),
    onInconclusive: Type.Optional(OnInconclusive),
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
            perRequest: Type.Object(
              {
                margin: percentage({
                  default: '10%',
                  description: 'How much more CPU a request may take, as a part of what it takes.',
                }),
                decides: Type.Boolean({
                  default: false,
                  description:
                    'False: it is reported only, because a younger JVM still compiles and a few pods tell no small growth of the whole.',
                }),
              },
              {
                default: {},
                description:
                  'CPU of the whole pod by request, at equal load; only where requests can be seen.',
              },
            ),
          },
          { default: {}, description: 'CPU, by function and in total.' },
        ),
        latency: Type.Array(LatencyCheck, {
          maxItems: 5,
          default: [{ quantile: 'p50' }, { quantile: 'p99' }],
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['quantile'],
          description: 'Quantiles of the latency of requests, over all routes. Empty: none is compared.',
        }),
        errors: Type.Object(
          {
            margin: percentage({
              default: '0.5%',
              description:
                'How much more of the requests may fail (5xx, reset, never answered), as a part of all requests.',
            }),
            required,
          },
          { default: {}, description: 'Requests that the server fails.' },
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
        earlyInconclusive: Type.Optional(
          Type.Boolean({
            default: true,
            description:
              'Whether Inconclusive is said as soon as Passed is out of reach by the deadline, even if everything came out in favour of the canary. Growth is looked for until the deadline all the same, and Failed said when it is proven.',
          }),
        ),
      },
      { default: {}, description: 'How long an evaluation takes at least and at most.' },
    ),
    notify: Type.Optional(
      Type.Array(Type.String({ pattern: DNS_LABEL, minLength: 1, maxLength: 63 }), {
        maxItems: 8,
        'x-kubernetes-list-type': 'set',
        description:
          'Who is told of verdicts: names of sinks.notifications of the install’s settings, which say the addresses. Whether they take it is the condition SinksReady. Empty: nobody.',
      }),
    ),
    reportHistoryLimit: Type.Integer({
      minimum: 1,
      maximum: 50,
      default: 10,
      description: 'How many RegressionReports of this gate are kept.',
    }),
  },
  {
    description: 'What to compare, how strictly, and for how long.',
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
        rule: `!has(self.baseline) || !has(self.canary) || !(${selectorsAreEqual})`,
        message: 'baseline and canary select the same pods: a gate compares two different sets',
      },
      {
        rule: 'duration(self.duration.min) < duration(self.duration.deadline)',
        message: 'duration.min must be shorter than duration.deadline',
        fieldPath: '.duration.min',
      },
      {
        rule: 'duration(self.duration.warmUp) < duration(self.duration.deadline)',
        message: 'duration.warmUp must be shorter than duration.deadline: no pod would ever be old enough',
        fieldPath: '.duration.warmUp',
      },
      {
        rule: "duration(self.duration.deadline) <= duration('24h')",
        message: 'duration.deadline may be 24h at most',
        fieldPath: '.duration.deadline',
      },
      {
        rule: `${falseFailureRatePercent} > 0.0 && ${falseFailureRatePercent} <= 20.0`,
        message: 'falseFailureRate must be above 0% and at most 20%: at 0% nothing could ever be proven',
        fieldPath: '.falseFailureRate',
      },
      ...ACTING_RULES,
    ],
  },
);
export type RegressionGateSpec = Static<typeof RegressionGateSpec>;

const Evaluation = Type.Object(
  {
    baseline: Type.String({ maxLength: 128, description: 'Revision hash of the baseline.' }),
    canary: Type.String({ maxLength: 128, description: 'Revision hash of the canary.' }),
    attempt: Type.Integer({ minimum: 1, description: 'Counts the evaluations of this pair of revisions.' }),
    report: Type.String({ maxLength: 253, description: 'Name of the RegressionReport.' }),
    startedAt: Type.String({ format: 'date-time', description: 'When the evaluation began.' }),
  },
  { description: 'The evaluation the verdict belongs to.' },
);

export const RegressionGateStatus = Type.Object(
  {
    observedGeneration: Type.Optional(observedGeneration),
    conditions: Type.Optional(conditions),
    target: Type.Optional(
      Type.String({ maxLength: 253, description: 'What is compared, as a reader names it.' }),
    ),
    verdict: Type.Optional(
      oneOf(GATE_VERDICTS, {
        description:
          'Waiting: there is nothing to compare yet. Collecting: not decided. Passed: nothing grew beyond its margin, proven. Failed: something did, proven. Inconclusive: neither could be proven in time, or Passed is out of reach and the evaluation, which is open until its deadline, can only become Failed.',
      }),
    ),
    evaluation: Type.Optional(Evaluation),
    cpuDelta: Type.Optional(
      Type.String({
        maxLength: 32,
        description: "The worst function's change, as a share of the pod's CPU.",
      }),
    ),
    latencyDelta: Type.Optional(
      Type.String({ maxLength: 32, description: 'Change of the highest quantile that is compared.' }),
    ),
    worst: Type.Optional(Type.String({ maxLength: 256, description: 'The function that grew most.' })),
    summary: Type.Optional(Type.String({ maxLength: 1024, description: 'The verdict in a sentence.' })),
    action: Type.Optional(GateAction),
    evidence: Type.Optional(GateEvidence),
    certification: Type.Optional(GateCertification),
  },
  { description: 'What the controller found. Nobody else writes it.' },
);
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
  rules: [
    {
      rule: 'size(self.metadata.name) <= 63',
      message: 'the name of a gate is a label of its reports: 63 characters at most',
    },
  ],
  columns: [
    { name: 'Target', type: 'string', jsonPath: '.status.target' },
    { name: 'Verdict', type: 'string', jsonPath: '.status.verdict' },
    { name: 'P99Δ', type: 'string', jsonPath: '.status.latencyDelta', description: 'Change of latency' },
    { name: 'CPUΔ', type: 'string', jsonPath: '.status.cpuDelta', description: "Share of the pod's CPU" },
    { name: 'Worst', type: 'string', jsonPath: '.status.worst' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    {
      name: 'Rollout',
      type: 'string',
      jsonPath: '.status.action.state',
      description: 'What was done',
      priority: 1,
    },
    { name: 'Baseline', type: 'string', jsonPath: '.status.evaluation.baseline', priority: 1 },
    { name: 'Canary', type: 'string', jsonPath: '.status.evaluation.canary', priority: 1 },
    { name: 'Summary', type: 'string', jsonPath: '.status.summary', priority: 1 },
  ],
};
