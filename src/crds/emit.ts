/**
 * Kind → CustomResourceDefinition. TypeBox values are JSON Schema already; what a structural schema may not say
 * (kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema)
 * is refused here, with the path, so that a mistake shows in a unit test and not at a user's `kubectl apply`.
 */
import { GROUP, type Kind, type PrinterColumn, VERSION } from './schema.ts';

export class SchemaError extends Error {
  readonly code = 'CRD_NOT_STRUCTURAL';
  override readonly name = 'SchemaError';
}

/** One node of an OpenAPI v3 schema as the API server stores it. */
export interface OpenApiSchema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: OpenApiSchema;
  readonly items?: OpenApiSchema;
  readonly enum?: readonly string[];
  readonly [bound: string]: unknown;
}

/** The CustomResourceDefinition of a kind, as an object ready for YAML or the API server. */
export function emitCrd(kind: Kind) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${GROUP}`,
      labels: { 'app.kubernetes.io/name': 'flamegate', 'app.kubernetes.io/part-of': 'flamegate' },
    },
    spec: {
      group: GROUP,
      scope: kind.scope ?? 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        shortNames: [...kind.shortNames],
        categories: ['flamegate'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns.map(emitColumn),
          schema: { openAPIV3Schema: withDefaultsSaid(emitRoot(kind)) },
        },
      ],
    },
  };
}

function emitColumn(column: PrinterColumn) {
  const { name, type, jsonPath, description, priority } = column;
  return {
    name,
    type,
    ...(description === undefined ? {} : { description }),
    jsonPath,
    ...(priority === undefined ? {} : { priority }),
  };
}

/** The schema of a whole object. What has a default need not be written, so it is not required here. */
export function emitRoot(kind: Kind): OpenApiSchema {
  return {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'The version of this kind.' },
      kind: { type: 'string', description: `Always ${kind.kind}.` },
      metadata: { type: 'object' },
      spec: emitSchema(kind.spec, 'spec'),
      status: emitSchema(kind.status, 'status'),
    },
    ...(kind.rules === undefined ? {} : { 'x-kubernetes-validations': kind.rules }),
  };
}

/** kubectl explain does not show defaults, so the description of each value says its own. */
function withDefaultsSaid(schema: OpenApiSchema): OpenApiSchema {
  const { description, default: fallback, properties, items } = schema;
  const isValue = fallback !== undefined && typeof fallback !== 'object';
  const said = isValue ? `${description ?? ''} Default: ${String(fallback)}.`.trim() : description;
  return {
    ...schema,
    ...(said === undefined ? {} : { description: said }),
    ...(items === undefined ? {} : { items: withDefaultsSaid(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, withDefaultsSaid(property)]),
          ),
        }),
  };
}

const COPIED = [
  'description',
  'default',
  'enum',
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
] as const;
const NESTED = ['type', 'properties', 'required', 'additionalProperties', 'items'] as const;
const ALLOWED: ReadonlySet<string> = new Set([...COPIED, ...NESTED]);
const TYPES: readonly string[] = ['object', 'array', 'string', 'integer', 'boolean'];

function emitSchema(schema: unknown, path: string): OpenApiSchema {
  const node = asRecord(schema, path);
  refuseWhatIsNotStructural(node, path);
  const type = node['type'];
  if (!isSchemaType(type)) {
    throw new SchemaError(`${path}: type ${JSON.stringify(type)} is none of ${TYPES.join(', ')}`);
  }
  const copied = Object.fromEntries(COPIED.filter((key) => key in node).map((key) => [key, node[key]]));
  if (type === 'array') {
    return { type, ...copied, items: emitSchema(node['items'], `${path}[]`) };
  }
  return type === 'object' ? { type, ...copied, ...emitObject(node, path) } : { type, ...copied };
}

function emitObject(node: Readonly<Record<string, unknown>>, path: string): Partial<OpenApiSchema> {
  if ('additionalProperties' in node) {
    return { additionalProperties: emitSchema(node['additionalProperties'], `${path}{}`) };
  }
  const properties = Object.entries(asRecord(node['properties'], path)).map(([name, property]) => {
    const emitted = emitSchema(property, `${path}.${name}`);
    if (emitted.description === undefined) {
      throw new SchemaError(`${path}.${name}: no description, so kubectl explain would show nothing`);
    }
    return [name, emitted] as const;
  });
  const listed: readonly unknown[] = Array.isArray(node['required']) ? node['required'] : [];
  const required = properties
    .filter(([name, property]) => listed.includes(name) && property.default === undefined)
    .map(([name]) => name);
  return { properties: Object.fromEntries(properties), ...(required.length === 0 ? {} : { required }) };
}

function refuseWhatIsNotStructural(node: Readonly<Record<string, unknown>>, path: string): void {
  const foreign = Object.keys(node).find((key) => !ALLOWED.has(key));
  if (foreign !== undefined) {
    throw new SchemaError(`${path}: "${foreign}" has no place in a structural schema`);
  }
  if ('additionalProperties' in node && 'properties' in node) {
    throw new SchemaError(`${path}: properties and additionalProperties exclude each other`);
  }
  const bound = missingBound(node);
  if (bound !== undefined) {
    throw new SchemaError(`${path}: no ${bound}, so the cost of a CEL rule over it cannot be bounded`);
  }
  if (node['type'] === 'array' && node['x-kubernetes-list-type'] === undefined) {
    throw new SchemaError(`${path}: no x-kubernetes-list-type, so server-side apply could not merge it`);
  }
}

function missingBound(node: Readonly<Record<string, unknown>>): string | undefined {
  const stringIsBounded = 'maxLength' in node || 'enum' in node || node['format'] === 'date-time';
  if (node['type'] === 'string' && !stringIsBounded) {
    return 'maxLength';
  }
  if (node['type'] === 'array' && !('maxItems' in node)) {
    return 'maxItems';
  }
  return 'additionalProperties' in node && !('maxProperties' in node) ? 'maxProperties' : undefined;
}

function isSchemaType(type: unknown): type is OpenApiSchema['type'] {
  return typeof type === 'string' && TYPES.includes(type);
}

function asRecord(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SchemaError(`${path}: not a schema`);
  }
  // Symbols are TypeBox's own marks; they are no part of JSON Schema.
  return Object.fromEntries(Object.entries(value));
}
