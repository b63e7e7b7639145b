/** RegressionReport: what one evaluation of a gate found. Written by the controller, kept as a record. */
import { type Static, Type } from '@sinclair/typebox';
import { MAX_REVISION, MAX_SOURCE, REVISION_PATTERN, SOURCE_PATTERN } from './built-from.ts';
import { type Kind, oneOf, type Resource } from './schema.ts';

const share = (description: string) => Type.String({ maxLength: 32, description });
const arms = (description: string) =>
  Type.Object(
    {
      baseline: Type.Integer({ minimum: 0, description: 'Of the baseline.' }),
      canary: Type.Integer({ minimum: 0, description: 'Of the canary.' }),
    },
    { description },
  );
const images = (description: string) =>
  Type.Array(Type.String({ maxLength: 512 }), {
    maxItems: 16,
    'x-kubernetes-list-type': 'atomic',
    description,
  });
const build = (description: string) =>
  Type.Optional(
    Type.Object(
      {
        revision: Type.Optional(
          Type.String({
            pattern: REVISION_PATTERN,
            maxLength: MAX_REVISION,
            description: 'The commit, or a tag.',
          }),
        ),
        source: Type.Optional(
          Type.String({
            pattern: SOURCE_PATTERN,
            maxLength: MAX_SOURCE,
            description: 'Where its repository is.',
          }),
        ),
      },
      { description },
    ),
  );
const interval = Type.Array(Type.String({ maxLength: 32 }), {
  minItems: 2,
  maxItems: 2,
  'x-kubernetes-list-type': 'atomic',
  description: 'Lower and upper bound of the change, valid at any time it is looked at.',
});
const verdict = (description: string) =>
  oneOf(['Collecting', 'Passed', 'Failed', 'Inconclusive'], { description });

export const RegressionReportSpec = Type.Object(
  {
    gate: Type.String({ maxLength: 253, description: 'The RegressionGate that asked.' }),
    gateGeneration: Type.Integer({ minimum: 1, description: 'The generation of the gate that was judged.' }),
    baselineHash: Type.String({ maxLength: 128, description: 'Revision hash of the baseline.' }),
    canaryHash: Type.String({ maxLength: 128, description: 'Revision hash of the canary.' }),
    images: Type.Object(
      {
        baseline: images("Images of the baseline's containers."),
        canary: images("Images of the canary's containers."),
      },
      { description: 'What ran.' },
    ),
    builtFrom: Type.Optional(
      Type.Object(
        { baseline: build("The baseline's images."), canary: build("The canary's images.") },
        {
          description:
            'What the images were built from, by the annotations org.opencontainers.image.revision and org.opencontainers.image.source of their pods.',
        },
      ),
    ),
    attempt: Type.Integer({ minimum: 1, description: 'Counts the evaluations of this pair of revisions.' }),
  },
  {
    description: 'Which two revisions were compared, for which gate. It cannot be changed.',
    'x-kubernetes-validations': [
      { rule: 'self == oldSelf', message: 'a report describes one evaluation and cannot be changed' },
    ],
  },
);
export type RegressionReportSpec = Static<typeof RegressionReportSpec>;

export const ReportCheck = Type.Object({
  check: Type.String({
    minLength: 1,
    maxLength: 64,
    description: 'Which check: cpu.function, latency.p99, errors.',
  }),
  subject: Type.Optional(
    Type.String({
      maxLength: 512,
      description: 'What it speaks of: the worst function, or the worst route.',
    }),
  ),
  baseline: Type.Optional(share('The baseline: a share of CPU, a latency, or a part of requests.')),
  canary: Type.Optional(share('The canary.')),
  delta: Type.Optional(share('Canary less baseline.')),
  interval: Type.Optional(interval),
  margin: Type.Optional(share('The largest change that is accepted.')),
  detectable: Type.Optional(share('The smallest change that could have been seen by now.')),
  verdict: oneOf(['Collecting', 'Passed', 'Failed', 'Inconclusive', 'NotObservable'], {
    description:
      'What this check says. NotObservable: there is nothing to see, for example TLS inside the JVM.',
  }),
  since: Type.Optional(
    Type.String({
      maxLength: 32,
      description:
        'Where growth began later than the evaluation: how long after. Then delta and interval are against the canary before.',
    }),
  ),
  falseFailureRate: Type.Optional(
    share('Chance that this check alone ever fails a harmless canary: its part of what the gate allows.'),
  ),
  evidence: Type.Optional(
    share(
      'Evidence of growth at the last look: how many times likelier the data are than without any (an e-value).',
    ),
  ),
  evidenceNeeded: Type.Optional(share('From how much evidence on growth counts as proven.')),
  message: Type.Optional(Type.String({ maxLength: 1024, description: 'The same in a sentence.' })),
});
export type ReportCheck = Static<typeof ReportCheck>;

export const Culprit = Type.Object({
  function: Type.String({ maxLength: 512, description: 'The function, as flame graphs show it.' }),
  file: Type.Optional(
    Type.String({
      maxLength: 128,
      description: 'The source file it is written in, where the class says so.',
    }),
  ),
  line: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        "The line of it in which the canary was seen most often; without -XX:+DebugNonSafepoints its own code is placed at the next safepoint's.",
    }),
  ),
  kind: oneOf(['New', 'Grown', 'Moved'], {
    description: 'New: the baseline never ran it. Grown: it costs more. Moved: its cost came from elsewhere.',
  }),
  baseline: share("The function's share of the baseline's CPU."),
  canary: share("The function's share of the canary's CPU."),
  delta: share('Canary less baseline.'),
  interval,
  dispatcher: Type.Optional(
    Type.String({
      maxLength: 128,
      description: 'The dispatcher of coroutines that runs it, where one does.',
    }),
  ),
  route: Type.Optional(
    Type.String({
      maxLength: 512,
      description:
        'Method and route of the requests it is part of, where most of its samples that belong to a request agree.',
    }),
  ),
  shareOfDelta: share(
    'How much of all that the listed functions grew by is in it; one that calls another has what that has.',
  ),
  perRequest: Type.Optional(
    share(
      'What it grew by in CPU a request, where requests can be seen: delta of the CPU a canary request takes.',
    ),
  ),
  stack: Type.Array(Type.String({ maxLength: 512 }), {
    maxItems: 64,
    'x-kubernetes-list-type': 'atomic',
    description:
      'The commonest canary stack through the function, leaf first, with the lines where it stood.',
  }),
});
export type Culprit = Static<typeof Culprit>;

export const RouteEffect = Type.Object({
  check: Type.String({ minLength: 1, maxLength: 64, description: 'Which check: latency.p99, errors.' }),
  route: Type.String({
    maxLength: 512,
    description: 'Method and route; "12 other routes" stands for those that are not listed.',
  }),
  requests: Type.Integer({ minimum: 0, description: "The canary's requests to it." }),
  baseline: Type.Optional(share('The baseline.')),
  canary: Type.Optional(share('The canary.')),
  delta: Type.Optional(share('Canary less baseline.')),
  interval: Type.Optional(interval),
  since: Type.Optional(
    Type.String({
      maxLength: 32,
      description: 'Where growth began later than the evaluation: how long after.',
    }),
  ),
  shareOfDelta: Type.Optional(
    share(
      'How many of the requests that the canary has too many of (slow, or failed) are its; absent without growth.',
    ),
  ),
  grown: Type.Boolean({
    description:
      'Whether it grew by more than the margin; of routes that are called so, at most one in twenty did not.',
  }),
});
export type RouteEffect = Static<typeof RouteEffect>;

export const WouldSettle = Type.Object({
  check: Type.String({ minLength: 1, maxLength: 64, description: 'Which check was not decided.' }),
  deadline: Type.Optional(share('duration.deadline that would have been long enough.')),
  pods: Type.Optional(
    arms(
      'Pods, canaries each with the load of those there were; of the baseline more only where canaries alone would not do.',
    ),
  ),
  traffic: Type.Optional(share('How many times as many requests, in both arms.')),
  margin: Type.Optional(
    share('The smallest margin that the last look was below; to pass, two looks in a row have to be.'),
  ),
});
export type WouldSettle = Static<typeof WouldSettle>;

export const LeftOutPod = Type.Object({
  pod: Type.String({ maxLength: 253, description: 'The canary pod that was left out.' }),
  check: Type.String({ minLength: 1, maxLength: 64, description: 'Which check.' }),
  effect: share('Its change without that pod.'),
  lower: share('Lower bound of it.'),
  upper: share('Upper bound of it.'),
  verdictWithout: verdict('What the check would say without that pod.'),
});
export type LeftOutPod = Static<typeof LeftOutPod>;

export const FlagDetail = Type.Object({
  flag: Type.String({ minLength: 1, maxLength: 64, description: 'The flag, as in flags.' }),
  message: Type.String({ maxLength: 512, description: 'What it says of this data, with the numbers.' }),
});
export type FlagDetail = Static<typeof FlagDetail>;

export const GroupShare = Type.Object({
  group: Type.String({
    minLength: 1,
    maxLength: 256,
    description: 'A library, the kernel, or what threads of the JVM do.',
  }),
  baseline: share("Its share of the baseline's CPU."),
  canary: share("Its share of the canary's CPU."),
});

export const Member = Type.Object({
  arm: oneOf(['baseline', 'canary'], { description: 'Which side it is compared on.' }),
  uid: Type.String({ minLength: 1, maxLength: 64, description: 'UID of the pod.' }),
  node: Type.String({ minLength: 1, maxLength: 253, description: 'The node it runs on, or ran on.' }),
  containers: Type.Array(Type.String({ maxLength: 63 }), {
    minItems: 1,
    maxItems: 16,
    'x-kubernetes-list-type': 'atomic',
    description: 'Those of its containers that are compared.',
  }),
});
export type Member = Static<typeof Member>;
export const MOST_MEMBERS = 100; // a tenth of a kilobyte each, of the 64 that a report may have

export const RegressionReportStatus = Type.Object(
  {
    verdict: Type.Optional(verdict('Failed when any check failed; Passed when all of them passed.')),
    reason: Type.Optional(Type.String({ maxLength: 128, description: 'Why, in one stable word.' })),
    message: Type.Optional(
      Type.String({ maxLength: 2048, description: 'Why, in sentences with the numbers.' }),
    ),
    startedAt: Type.Optional(Type.String({ format: 'date-time', description: 'When the evaluation began.' })),
    decidedAt: Type.Optional(Type.String({ format: 'date-time', description: 'When the verdict fell.' })),
    latched: Type.Optional(Type.Boolean({ description: 'A Failed stays, whatever comes later.' })),
    pods: Type.Optional(arms('Pods that were compared.')),
    members: Type.Optional(
      Type.Array(Member, {
        maxItems: MOST_MEMBERS,
        'x-kubernetes-list-type': 'atomic',
        description:
          'The pods of both arms, those that are gone first: what they did still counts, also for a controller that never saw them.',
      }),
    ),
    samples: Type.Optional(arms('Samples that were compared.')),
    requests: Type.Optional(arms('Requests that were compared, where they can be seen.')),
    checks: Type.Optional(
      Type.Array(ReportCheck, {
        maxItems: 16,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['check'],
        description: 'What was compared, with the effect, its interval and the margin.',
      }),
    ),
    culprits: Type.Optional(
      Type.Array(Culprit, {
        maxItems: 10,
        'x-kubernetes-list-type': 'atomic',
        description: 'The functions that grew, the worst first.',
      }),
    ),
    groups: Type.Optional(
      Type.Array(GroupShare, {
        maxItems: 10,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['group'],
        description:
          'CPU that is no function’s of the service, the most first: [GC] is the collector’s threads, [jvm] the JVM’s others.',
      }),
    ),
    routes: Type.Optional(
      Type.Array(RouteEffect, {
        maxItems: 48,
        'x-kubernetes-list-type': 'atomic',
        description:
          'Beside each check of requests its routes, those that carry most of the growth first: information, no verdict rests on it.',
      }),
    ),
    leaveOnePodOut: Type.Optional(
      Type.Array(LeftOutPod, {
        maxItems: 64,
        'x-kubernetes-list-type': 'atomic',
        description: 'What is left of the verdict without each single canary pod.',
      }),
    ),
    wouldSettle: Type.Optional(
      Type.Array(WouldSettle, {
        maxItems: 16,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['check'],
        description:
          'Of an Inconclusive: what would have settled each open check, each alone and if the canary stays as it was. Absent fields: not by that alone.',
      }),
    ),
    falseFailureRate: Type.Optional(
      Type.Object(
        {
          allowed: share("The gate's falseFailureRate."),
          spent: share('What the checks that could be made may cost of it.'),
        },
        { description: 'Chance that a harmless canary is ever called Failed.' },
      ),
    ),
    folded: Type.Optional(
      Type.Array(Type.String({ maxLength: 256 }), {
        maxItems: 8,
        'x-kubernetes-list-type': 'atomic',
        description: 'What was left out of this report to keep it small.',
      }),
    ),
    flags: Type.Optional(
      Type.Array(Type.String({ maxLength: 256 }), {
        maxItems: 32,
        'x-kubernetes-list-type': 'set',
        description:
          'What a reader must know: of the data, for example AssumedVariance, or of what changed without harm, for example Renamed.',
      }),
    ),
    flagDetails: Type.Optional(
      Type.Array(FlagDetail, {
        maxItems: 32,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['flag'],
        description: 'The same flags, each in a sentence with the numbers.',
      }),
    ),
  },
  { description: 'What was found. Written by the controller.' },
);
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
    { name: 'P99Δ', type: 'string', jsonPath: ".status.checks[?(@.check=='latency.p99')].delta" },
    { name: 'CPUΔ', type: 'string', jsonPath: ".status.checks[?(@.check=='cpu.function')].delta" },
    { name: 'Culprit', type: 'string', jsonPath: ".status.culprits[?(@.kind!='Moved')].function" },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Baseline', type: 'string', jsonPath: '.spec.baselineHash', priority: 1 },
    { name: 'Canary', type: 'string', jsonPath: '.spec.canaryHash', priority: 1 },
  ],
};
