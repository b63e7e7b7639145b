import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aBatch, aPodWindow } from '../../store/testing/a-batch.ts';
import { checkBatch } from './check-batch.ts';
import { Refusal } from './refusal.ts';

function checked(environment: readonly string[] | undefined): string {
  const { environment: _, ...jvm } = aPodWindow().jvm;
  return outcomeOf({ ...aBatch(), pods: [{ ...aPodWindow(), jvm: { ...jvm, environment } }] });
}

const withPlaces = (places: unknown): string => outcomeOf({ ...aBatch(), places });

function outcomeOf(json: unknown): string {
  try {
    checkBatch(JSON.parse(JSON.stringify(json)), aBatch().endMs);
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

test('places are as many as the stacks, each empty or as long as its stack, of strings that are there', () => {
  assert.equal(withPlaces(undefined), 'taken');
  assert.equal(withPlaces([[3, 0, 1], []]), 'taken');
  assert.equal(withPlaces([[3, 0, 1]]), 'BATCH_INCONSISTENT');
  assert.equal(withPlaces([[3, 0], []]), 'BATCH_INCONSISTENT');
  assert.equal(withPlaces([[4, 0, 0], []]), 'BATCH_INCONSISTENT');
  assert.equal(withPlaces([[-1, 0, 0], []]), 'BATCH_INVALID');
  assert.equal(withPlaces([['Codec.kt:87', 0, 0], []]), 'BATCH_INVALID');
});
