import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from '../../src/native/frame-word.ts';
import { incompleteBy, isVirtual, sharesOf } from './shares.ts';
import type { FrameNames, Stack } from './stack.ts';

const [LIBC, LIBJVM] = [1n, 2n];
const [RUN, ENTER] = [1, 2];
const LINES_FROM_7 = new Uint8Array([0xff, 0x00, 0x0e, 0x00]); // bci 0 is line 7

const names: FrameNames = {
  methodOf: ({ methodId }) => ({
    pid: 1,
    id: methodId,
    holder: methodId === ENTER ? 'jdk/internal/vm/Continuation' : 'shop/Main',
    name: 'run',
    signature: '()V',
    sourceFile: 'Main.java',
    lineTable: methodId === RUN ? LINES_FROM_7 : new Uint8Array(),
    isLineTableCut: false,
  }),
  stubOf: () => undefined,
  fileOf: (address) => (address === LIBC ? '[libc.so.6]' : '[libjvm.so]'),
  excluded: 0,
};

const inLibc: Frame = { kind: 'address', address: LIBC };
const inLibjvm: Frame = { kind: 'address', address: LIBJVM };
const java = (methodId: number, isInlined = false): Frame => ({
  kind: 'java',
  methodId,
  bci: 0,
  isInlined,
  isInterpreted: false,
  isSafepointPlace: false,
});
const cut: Frame = { kind: 'mark', mark: 'stackCut' };
const frozen: Frame = { kind: 'mark', mark: 'frozenFrames' };
const stack = (count: number, ...frames: Frame[]): Stack => ({ count, frames });

test('a stack is complete when it ends where threads begin', () => {
  assert.equal(incompleteBy(stack(1, java(RUN), inLibjvm, inLibc), names), undefined);
  assert.equal(incompleteBy(stack(1, java(RUN), frozen, java(ENTER), inLibc), names), undefined);
  assert.equal(incompleteBy(stack(1, java(RUN), inLibjvm), names), 'otherRoot');
  assert.equal(incompleteBy(stack(1, java(RUN), cut), names), 'stackCut');
  assert.equal(incompleteBy(stack(1), names), 'noFrames');
});

test('lost samples and stacks cut before a Java frame are due; threads of the JVM are not', () => {
  const shares = sharesOf(
    [stack(6, java(RUN), inLibc), stack(2, inLibjvm, cut), stack(9, inLibjvm, inLibc)],
    2,
    names,
  );

  assert.equal(shares.due, 10);
  assert.equal(shares.complete, 6);
  assert.deepEqual(shares.causes, { stackCut: 2 });
});

test('lines and inlining are shares of frames and of samples, each by how often it was seen', () => {
  const shares = sharesOf(
    [stack(3, java(RUN, true), java(RUN), inLibc), stack(1, java(ENTER), inLibc)],
    0,
    names,
  );

  assert.equal(shares.lineShare, 0.8571); // 6 of 7 frames
  assert.equal(shares.lineShareOfTables, 1);
  assert.equal(shares.inlineShare, 0.75);
  assert.equal(shares.framesMax, 2);
});

test('a virtual thread is told by its continuation or by what is left of it in the heap', () => {
  assert(isVirtual(stack(1, java(RUN), java(ENTER), inLibc), names));
  assert(isVirtual(stack(1, java(RUN), frozen, inLibc), names));
  assert(!isVirtual(stack(1, java(RUN), inLibc), names));
});
