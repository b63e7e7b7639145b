import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aBatch, aPodWindow } from '../../store/testing/a-batch.ts';
import { checkBatch } from './check-batch.ts';
import { Refusal } from './refusal.ts';

function checked(environment: readonly string[] | undefined): string {
  const batch = aBatch();
  const { environment: _, ...jvm } = aPodWindow().jvm;
  const json = { ...batch, pods: [{ ...aPodWindow(), jvm: { ...jvm, environment } }] };
  try {
    checkBatch(JSON.parse(JSON.stringify(json)), batch.endMs);
    return 'taken';
  } catch (error) {
    return error instanceof Refusal ? error.code : 'no refusal';
  }
}

test('a batch without the variables of a JVM, as agents before sent it, is taken', () => {
  assert.equal(checked(undefined), 'taken');
});

test('of a JVM’s variables only the names are taken', () => {
  assert.equal(checked([]), 'taken');
  assert.equal(checked(['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS']), 'taken');
  assert.equal(checked(['JAVA_TOOL_OPTIONS=-Xmx1g']), 'BATCH_INVALID');
});
