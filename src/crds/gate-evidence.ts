/** How fast a gate learns, and when it will be decided. */
import { type Static, Type } from '@sinclair/typebox';
import { oneOf } from './schema.ts';

const number = (description: string) => Type.String({ maxLength: 16, description });

export const RATE_REASONS = ['Enough', 'Raised', 'BudgetReached', 'NoUse', 'Collecting'] as const;

export const GateEvidence = Type.Object(
  {
    frequencyHz: Type.Integer({
      minimum: 1,
      maximum: 199,
      description: 'On-CPU samples per second and busy core of the pods of both arms.',
    }),
    rateReason: oneOf(RATE_REASONS, {
      description:
        'Why that rate. Enough: a harmless canary passes in time by the rate of the policies. Raised: on both arms, because samples are few. BudgetReached: more is not allowed by spec.cpu.maxFrequencyHz or spec.budget.agentCpu of a policy. NoUse: more samples would not help, what is lacking are pods or requests. Collecting: too little is known yet.',
    }),
    rateMessage: Type.String({ maxLength: 512, description: 'The same in a sentence, with the numbers.' }),
    samplesPerSecond: Type.Optional(number('Samples a second of all canary pods together.')),
    requestsPerSecond: Type.Optional(number('Requests a second of all canary pods together.')),
    expectedAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description:
          'When a harmless canary will be Passed if it goes on like this; missing: not within a day. A canary that is worse is mostly Failed before.',
      }),
    ),
    detectable: Type.Optional(
      number('Growth of a function, as a share of CPU, that will be seen by the deadline in nine of ten.'),
    ),
    message: Type.String({
      maxLength: 1024,
      description: 'When it will be decided, in a sentence, and what would settle it sooner.',
    }),
  },
  { description: 'While an evaluation is open: how fast it learns, and when it will be decided.' },
);
export type GateEvidence = Static<typeof GateEvidence>;
