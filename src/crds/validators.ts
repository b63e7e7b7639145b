/**
 * ajv over the same schemas the API server has. `parse…` is for objects as the API server returns them, with every
 * default filled in; `manifestProblems` is for manifests as people write them. Neither fills in a default: doing so
 * would hide a difference between what is stored and what the controller believes. CEL rules are the API server's alone.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type ClusterProfilingPolicy, clusterProfilingPolicyKind } from './cluster-profiling-policy.ts';
import { emitRoot } from './emit.ts';
import { KINDS } from './kinds.ts';
import { type ProfilingPolicy, profilingPolicyKind } from './profiling-policy.ts';
import { type RegressionGate, regressionGateKind } from './regression-gate.ts';
import { type RegressionReport, regressionReportKind } from './regression-report.ts';
import type { Kind } from './schema.ts';

export class ObjectError extends Error {
  readonly code = 'OBJECT_INVALID';
  override readonly name = 'ObjectError';
}

const KUBERNETES_KEYWORDS = [
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
];
// RFC 3339 as metav1.Time writes it; the API server is the one that enforces it.
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const MAX_PROBLEMS = 5; // as many as a sentence can hold

function createAjv(): Ajv {
  const ajv = new Ajv({ strict: true, allErrors: true, useDefaults: false, coerceTypes: false });
  ajv.addVocabulary(KUBERNETES_KEYWORDS);
  ajv.addFormat('date-time', DATE_TIME);
  return ajv;
}

const ajv = createAjv();

/** A stored object is one the API server has defaulted and named: what the manifest may leave out must be there. */
function storedSchema(kind: Kind): object {
  const text = { type: 'string', minLength: 1, maxLength: 253 };
  const count = { type: 'integer', minimum: 0 };
  return {
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: text,
      kind: { type: 'string', enum: [kind.kind] },
      metadata: {
        type: 'object',
        required: [
          ...['name', 'uid', 'generation', 'resourceVersion', 'creationTimestamp'],
          ...(kind.scope === 'Cluster' ? [] : ['namespace']),
        ],
        properties: {
          name: text,
          namespace: text,
          uid: text,
          generation: count,
          resourceVersion: text,
          // client-node turns it into a Date; a raw list keeps the text.
          creationTimestamp: {},
        },
      },
      spec: kind.spec,
      status: kind.status,
    },
  };
}

function createParser<T>(kind: Kind): (json: unknown) => T {
  const validate = ajv.compile<T>(storedSchema(kind));
  return (json) => {
    if (!validate(json)) {
      throw new ObjectError(`not a stored ${kind.kind}: ${describeProblems(validate.errors).join('; ')}`);
    }
    return json;
  };
}

/** Throws an ObjectError that names the fields for anything the API server cannot have returned. */
export const parseProfilingPolicy = createParser<ProfilingPolicy>(profilingPolicyKind);
/** Throws an ObjectError that names the fields for anything the API server cannot have returned. */
export const parseClusterProfilingPolicy = createParser<ClusterProfilingPolicy>(clusterProfilingPolicyKind);
/** Throws an ObjectError that names the fields for anything the API server cannot have returned. */
export const parseRegressionGate = createParser<RegressionGate>(regressionGateKind);
/** Throws an ObjectError that names the fields for anything the API server cannot have returned. */
export const parseRegressionReport = createParser<RegressionReport>(regressionReportKind);

const manifestValidators: ReadonlyMap<string, ValidateFunction> = new Map(
  KINDS.map((kind) => [kind.kind, ajv.compile(emitRoot(kind))]),
);

/** What the schema refuses in a manifest of one of our kinds, as sentences; empty when nothing. */
export function manifestProblems(kind: string, manifest: unknown): readonly string[] {
  const validate = manifestValidators.get(kind);
  if (validate === undefined) {
    return [`kind ${kind} is none of ${[...manifestValidators.keys()].join(', ')}`];
  }
  return validate(manifest) ? [] : describeProblems(validate.errors);
}

function describeProblems(errors: readonly ErrorObject[] | null | undefined): string[] {
  return (errors ?? []).slice(0, MAX_PROBLEMS).map(({ instancePath, message, keyword, params }) => {
    const path = instancePath.slice(1).replaceAll('/', '.');
    const allowed = keyword === 'enum' ? `: ${String(params['allowedValues'])}` : '';
    return `${path === '' ? 'the object' : path} ${message ?? keyword}${allowed}`;
  });
}
