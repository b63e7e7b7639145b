/**
 * The building blocks of the kinds: bounded strings, durations, percentages, selectors, conditions.
 * Every string and list is bounded, because the API server refuses CEL rules whose cost it cannot bound.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { DURATION_PATTERN, LATENCY_PATTERN, PERCENTAGE_PATTERN } from './quantities.ts';

export const GROUP = 'flamegate.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

export const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';

/** A string enum the way a structural schema wants it: one `enum`, no union. */
export const oneOf = <const T extends readonly string[]>(values: T, options: object = {}) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });

/** Percentages are strings, since floats do not survive every JSON and YAML tool alike: "0.5%", "12%". */
export const percentage = (options: object = {}) =>
  Type.String({ pattern: PERCENTAGE_PATTERN, maxLength: 9, ...options });

/** Durations of whole hours, minutes and seconds: "90s", "3m", "1h30m". */
export const duration = (options: object = {}) =>
  Type.String({
    pattern: DURATION_PATTERN,
    minLength: 2,
    maxLength: 16,
    ...options,
  });

/** Whole milliseconds or seconds: "2ms", "1s". */
export const latency = (options: object = {}) =>
  Type.String({ pattern: LATENCY_PATTERN, minLength: 2, maxLength: 7, ...options });

export const objectName = (description: string) =>
  Type.String({ pattern: DNS_LABEL, minLength: 1, maxLength: 63, description });

// k8s.io/apimachinery/pkg/util/validation: a qualified name with an optional DNS prefix; a value of at most 63 characters.
const LABEL_KEY = '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$';
const LABEL_VALUE = '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$';
const labelKey = Type.String({
  pattern: LABEL_KEY,
  minLength: 1,
  maxLength: 317,
  description: 'Name of the label.',
});
const labelValue = Type.String({ pattern: LABEL_VALUE, maxLength: 63 });

const LabelRequirement = Type.Object(
  {
    key: labelKey,
    operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist'], {
      description: "How the label's value must stand to values; Exists and DoesNotExist take none.",
    }),
    values: Type.Optional(
      Type.Array(labelValue, {
        maxItems: 32,
        'x-kubernetes-list-type': 'atomic',
        description: 'The values of In and NotIn.',
      }),
    ),
  },
  {
    'x-kubernetes-validations': [
      {
        rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        message: 'In and NotIn need values; Exists and DoesNotExist take none',
        fieldPath: '.values',
      },
    ],
  },
);

export const LabelSelector = Type.Object(
  {
    matchLabels: Type.Optional(
      Type.Unsafe<Record<string, string>>({
        type: 'object',
        additionalProperties: { type: 'string', pattern: LABEL_VALUE, maxLength: 63 },
        maxProperties: 32,
        description: 'Labels that must be carried, each with this value.',
      }),
    ),
    matchExpressions: Type.Optional(
      Type.Array(LabelRequirement, {
        maxItems: 16,
        'x-kubernetes-list-type': 'atomic',
        description: 'Set-based requirements; all of them must hold.',
      }),
    ),
  },
  {
    'x-kubernetes-map-type': 'atomic',
    'x-kubernetes-validations': [
      {
        rule: '(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)',
        message: 'a selector must name at least one label: an empty one would select everything',
      },
    ],
  },
);
export type LabelSelector = Static<typeof LabelSelector>;

/** metav1.Condition, field for field. */
export const Condition = Type.Object({
  type: Type.String({ minLength: 1, maxLength: 63, description: 'What the condition is about.' }),
  status: oneOf(['True', 'False', 'Unknown'], {
    description: 'Whether it holds; Unknown: it cannot be told.',
  }),
  observedGeneration: Type.Optional(
    Type.Integer({ minimum: 0, description: 'The generation of the object that this was found for.' }),
  ),
  lastTransitionTime: Type.String({ format: 'date-time', description: 'When the status last changed.' }),
  reason: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: '^[A-Z][A-Za-z0-9]*$',
    description: 'Why, in one stable word for scripts and alerts.',
  }),
  message: Type.String({ maxLength: 2048, description: 'Why, in a sentence with the numbers.' }),
});
export type Condition = Static<typeof Condition>;

export const conditions = Type.Array(Condition, {
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  description: 'What is known about the object, one entry per type.',
});

export const observedGeneration = Type.Integer({
  minimum: 0,
  description: 'The generation of the object that this status speaks of.',
});

/** A rule of the Common Expression Language that the API server checks. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** One column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  readonly priority?: number;
}

/** Everything a CustomResourceDefinition needs to know of a kind. */
export interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  /** Absent: its objects live in namespaces. */
  readonly scope?: 'Cluster';
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
  readonly spec: TSchema;
  readonly status: TSchema;
  /** Rules over the whole object; of its metadata they may see name and generateName only. */
  readonly rules?: readonly CelRule[];
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly uid: string; readonly controller?: boolean }[];
}

/** A stored object of a kind without namespaces: what the API server returns. */
export interface ClusterResource<Spec, Status> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly status?: Status;
}

/** A stored object of a kind that lives in namespaces. */
export interface Resource<Spec, Status> extends ClusterResource<Spec, Status> {
  readonly metadata: Metadata & { readonly namespace: string };
}
