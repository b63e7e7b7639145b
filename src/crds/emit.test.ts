import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type TSchema, Type } from '@sinclair/typebox';
import { parse } from 'yaml';
import { emitCrd, emitRoot } from './emit.ts';
import { KINDS } from './kinds.ts';
import type { Kind } from './schema.ts';

const aKind = (spec: TSchema): Kind => ({
  kind: 'Thing',
  plural: 'things',
  singular: 'thing',
  shortNames: ['th'],
  description: 'A thing.',
  columns: [],
  spec,
  status: Type.Object({}),
});
const specOf = (spec: TSchema) => emitRoot(aKind(spec)).properties?.['spec'];

test('every kind becomes a CRD with a status subresource, short names and the category', () => {
  for (const kind of KINDS) {
    const crd = emitCrd(kind);

    assert.equal(crd.metadata.name, `${kind.plural}.flamegate.dev`);
    assert.deepEqual(crd.spec.versions[0]?.subresources, { status: {} });
    assert.deepEqual(crd.spec.names.categories, ['flamegate']);
    assert.ok(crd.spec.names.shortNames.length > 0);
  }
});

test('a field with a default is not required, since a manifest may leave it out', () => {
  const spec = specOf(
    Type.Object({
      margin: Type.String({ maxLength: 8, default: '1%', description: 'How much.' }),
      name: Type.String({ maxLength: 8, description: 'Which.' }),
    }),
  );

  assert.deepEqual(spec?.required, ['name']);
});

test('a CRD says the default of each value in its description, which is all that kubectl explain shows', () => {
  const kind = aKind(Type.Object({ hz: Type.Integer({ default: 49, description: 'How often.' }) }));

  const schema = emitCrd(kind).spec.versions[0]?.schema.openAPIV3Schema;

  assert.equal(schema?.properties?.['spec']?.properties?.['hz']?.description, 'How often. Default: 49.');
});

test('what a structural schema cannot say is refused with the path', () => {
  const cases: readonly (readonly [TSchema, RegExp])[] = [
    [Type.Union([Type.Literal('a'), Type.Literal('b')]), /^spec: "anyOf" has no place/],
    [Type.Literal('a'), /^spec: "const" has no place/],
    [Type.Object({ a: Type.String({ description: 'x' }) }), /^spec\.a: no maxLength/],
    [Type.Object({ a: Type.Integer() }), /^spec\.a: no description/],
    [Type.Object({ a: Type.Number({ description: 'x' }) }), /^spec\.a: type "number" is none of/],
    [
      Type.Object({ a: Type.Array(Type.Integer(), { maxItems: 2, description: 'x' }) }),
      /^spec\.a: no x-kubernetes-list-type/,
    ],
    [Type.Array(Type.Integer(), { 'x-kubernetes-list-type': 'atomic' }), /^spec: no maxItems/],
    [Type.Unsafe({ type: 'object', additionalProperties: { type: 'integer' } }), /^spec: no maxProperties/],
  ];
  for (const [schema, message] of cases) {
    assert.throws(() => specOf(schema), { code: 'CRD_NOT_STRUCTURAL', message });
  }
});

test('the CRDs say the same to who reads YAML 1.1, as kubectl, Helm and Argo CD do: a bare Off would be a boolean', () => {
  for (const kind of KINDS) {
    const file = new URL(`../../config/crd/flamegate.dev_${kind.plural}.yaml`, import.meta.url);

    assert.deepEqual(parse(readFileSync(file, 'utf8'), { version: '1.1' }), emitCrd(kind));
  }
});
