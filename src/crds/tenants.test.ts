/** What a tenant's object cannot say: where data goes, and more of a node than the install gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TSchema } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { parseAssignment } from '../wire/assignment.ts';
import { KINDS } from './kinds.ts';
import { manifestProblems } from './validators.ts';

interface Leaf {
  readonly path: string;
  readonly schema: TSchema;
}

/** Everything of these types that a manifest of the kind may hold. */
function leavesOf(schema: TSchema, path: string, types: readonly string[]): readonly Leaf[] {
  const inner = (name: string, child: unknown) =>
    typeof child === 'object' && child !== null ? leavesOf(child as TSchema, `${path}.${name}`, types) : [];
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, unknown>);
  const mapped = Object.values((schema['patternProperties'] ?? {}) as Record<string, unknown>);
  return [
    ...(types.includes(String(schema['type'])) ? [{ path, schema }] : []),
    ...fields.flatMap(([name, child]) => inner(name, child)),
    ...mapped.flatMap((child) => inner('*', child)),
    ...inner('*', schema['additionalProperties']),
    ...inner('[]', schema['items']),
  ];
}

const ajv = new Ajv({ strict: false });
const ADDRESSES = [
  'http://collector.evil.example:4318',
  'https://evil.example/',
  'evil.example:4318',
  '10.0.0.1:80',
  '[fd00::1]:80',
  '/var/run/secrets/flamegate/token',
  '../../etc/shadow',
];
const TENANTS = KINDS.filter(({ kind }) => kind !== 'RegressionReport'); // which tenants do not write

test('no string of a spec takes an address, so that no tenant chooses where its data, or anybody’s, goes', () => {
  for (const { kind, spec } of TENANTS) {
    const leaves = leavesOf(spec, 'spec', ['string']);
    assert(leaves.length > 5, kind);
    for (const { path, schema } of leaves) {
      const taken = ADDRESSES.filter((address) => ajv.compile(schema)(address));
      assert.deepEqual(taken, path === 'spec.requests.routes.[]' ? [ADDRESSES[5]] : [], `${kind} ${path}`);
    }
  }
});

test('a rate above the ceiling is refused when it is applied, and by the agent again', () => {
  const problems = manifestProblems('ProfilingPolicy', {
    spec: { podSelector: {}, cpu: { frequencyHz: 200 } },
  });
  const assignment = { version: '1', store: 's', windowMs: 10_000, containers: [], live: [] };

  assert.match(problems.join(), /frequencyHz must be <= 199/);
  assert.throws(() => parseAssignment({ ...assignment, frequencyHz: 200 }), /frequencyHz is not an integer/);
  assert.equal(parseAssignment({ ...assignment, frequencyHz: 199 }).frequencyHz, 199);
});

test('every number that a tenant writes has a highest value', () => {
  for (const { kind, spec } of TENANTS) {
    const numbers = leavesOf(spec, 'spec', ['integer', 'number']);
    assert(numbers.length > 0, kind);
    for (const { path, schema } of numbers)
      assert.equal(typeof schema['maximum'], 'number', `${kind} ${path}`);
  }
});

test('what is not known of an assignment is dropped: no field of a later day names an agent an address', () => {
  const told = parseAssignment({
    ...{ version: '1', store: 's', windowMs: 10_000, frequencyHz: 49, containers: [], live: [] },
    ...{ otlpEndpoint: 'http://evil.example', controller: 'https://evil.example', attachAllowed: true },
  });

  assert.deepEqual(Object.keys(told).sort(), [
    ...['containers', 'frequencyHz', 'live', 'store', 'version', 'windowMs'],
  ]);
});
