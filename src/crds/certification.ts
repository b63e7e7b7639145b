/** What a gate says of itself before a rollout: how often it fails without a cause, and what it would see. */
import { type Static, Type } from '@sinclair/typebox';
import { formatDuration, formatLatencyMs, formatSharePercent } from './quantities.ts';
import { GROUP } from './schema.ts';

/** On a gate, with any value it has not had: certify anew. */
export const CERTIFY_ANNOTATION = `${GROUP}/certify`;
export const MAX_REQUEST = 256;

const text = (description: string) => Type.String({ maxLength: 32, description });
const count = (description: string) => Type.Integer({ minimum: 0, description });

export const PlannedPower = Type.Object({
  canaryPods: count('How many canary pods, each with the load of a baseline pod.'),
  at: text('Time from the beginning, warm-up not counted, that the next two speak of.'),
  latency: Type.Optional(
    text('Growth of the highest quantile of latency that is seen by then in nine of ten.'),
  ),
  cpu: Type.Optional(text('The same of a function, as a share of CPU.')),
  sameAfter: Type.Optional(
    text('When these pods see what the first row sees; absent: not by the deadline of an evaluation.'),
  ),
  marginAfter: Type.Optional(
    text('When growth of the size of every margin is proven; absent: not by the deadline of an evaluation.'),
  ),
});
export type PlannedPower = Static<typeof PlannedPower>;

export const GateCertification = Type.Object(
  {
    summary: Type.String({ maxLength: 1024, description: 'The whole in a sentence.' }),
    at: Type.String({ format: 'date-time', description: 'When it was found.' }),
    generation: Type.Integer({ minimum: 1, description: 'The generation of the gate that was certified.' }),
    baseline: Type.String({ maxLength: 128, description: 'Revision hash of the pods.' }),
    request: Type.Optional(
      Type.String({
        maxLength: MAX_REQUEST,
        description: `The value of the annotation ${CERTIFY_ANNOTATION} that it answers.`,
      }),
    ),
    pods: count('Pods of the baseline.'),
    windows: count('Windows that were used.'),
    span: text('From the first window to the last.'),
    placebos: Type.Object(
      {
        run: count('Evaluations of the baseline with itself, each with other pods in the place of canaries.'),
        failed: count('False alarms.'),
        passed: count('Rightly passed.'),
        inconclusive: count('Not decided.'),
        effective: Type.Optional(
          count('How many independent ones would tell as much: placebos share their pods and their time.'),
        ),
        pods: count('Pods of the baseline that took part; of many as many as can be judged.'),
        canaryPods: count('How many of them were in the place of canaries.'),
        lookedAt: text('How long each was looked at.'),
      },
      { description: 'What the gate said of pods that are all of one version.' },
    ),
    podVarianceFactor: text(
      'What evaluations multiply the variance between pods by, so that placebos fail no more often than falseFailureRate. 1: nothing.',
    ),
    falseAlarms: Type.Optional(
      Type.Array(Type.String({ maxLength: 512 }), {
        maxItems: 8,
        'x-kubernetes-list-type': 'atomic',
        description: 'Functions and checks that placebos still failed for, the commonest first.',
      }),
    ),
    plan: Type.Array(PlannedPower, {
      maxItems: 8,
      'x-kubernetes-list-type': 'atomic',
      description: 'What would be seen, by number of canary pods.',
    }),
  },
  { description: 'What placebo evaluations of its own baseline pods say of this gate.' },
);
export type GateCertification = Static<typeof GateCertification>;

/** A row as src/detect computes it. */
interface PowerNumbers {
  readonly canaryPods: number;
  readonly atMs: number;
  readonly power: {
    readonly latency: readonly { readonly check: string; readonly ms: number }[];
    readonly cpu?: number;
  };
  readonly sameAfterMs?: number;
  readonly marginAfterMs?: number;
}

/** As the status and `flamegate plan` show it. */
export function plannedPower({
  canaryPods,
  atMs,
  power,
  sameAfterMs,
  marginAfterMs,
}: PowerNumbers): PlannedPower {
  const quantileOf = ({ check }: { readonly check: string }): number =>
    Number(check.slice('latency.p'.length));
  const slowest = power.latency.toSorted((a, b) => quantileOf(b) - quantileOf(a))[0];
  return {
    canaryPods,
    at: formatDuration(atMs),
    ...(slowest === undefined ? {} : { latency: formatLatencyMs(slowest.ms) }),
    ...(power.cpu === undefined ? {} : { cpu: formatSharePercent(power.cpu) }),
    ...(sameAfterMs === undefined ? {} : { sameAfter: formatDuration(sameAfterMs) }),
    ...(marginAfterMs === undefined ? {} : { marginAfter: formatDuration(marginAfterMs) }),
  };
}
