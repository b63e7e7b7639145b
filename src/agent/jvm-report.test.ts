import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NamingFacts, namingReport, withDoubt, withLive } from './jvm-report.ts';

const nothing: NamingFacts = {
  source: 'Pending',
  layoutFailure: undefined,
  attach: undefined,
  hasPerfMap: false,
  leafIsExact: false,
  coroutines: undefined,
  methods: 0,
};
const map = {
  entries: 300,
  garbageLines: 0,
  dropped: 0,
  holds: () => true,
  nameAt: () => undefined,
  close: () => undefined,
};
const named = { kind: 'named', map, source: 'PerfMap' } as const;
const incomplete = { reason: 'LayoutIncomplete', message: 'this JVM does not tell x' };
const refused = { kind: 'failed', reason: 'AttachNotGranted', message: 'not allowed' } as const;

const told = (facts: Partial<NamingFacts>) => {
  const { state, reason, symbols, leaf } = namingReport({ ...nothing, ...facts });
  return [state, reason, symbols, leaf ?? '-'].join(' ');
};

test('a JVM that is unwound is profiled, and says how far its leaf is to be trusted', () => {
  assert.equal(told({ source: 'VmStructs' }), 'Profiled VmStructs VmStructs SafepointAccurate');
  assert.equal(told({ source: 'VmStructs', leafIsExact: true }), 'Profiled VmStructs VmStructs Exact');
});

test('a JVM that is unwound says whether coroutines have their callers, and what forbids it', () => {
  const coroutines = (facts: Partial<NamingFacts>) => {
    const report = namingReport({ ...nothing, source: 'VmStructs', ...facts });
    return `${report.coroutines} ${report.coroutinesReason ?? '-'}`;
  };

  assert.equal(coroutines({ coroutines: { kind: 'Chains' } }), 'Chains -');
  assert.equal(coroutines({ coroutines: { kind: 'Unsupported', reason: 'ZGC' } }), 'Unsupported ZGC');
  assert.equal(coroutines({ coroutines: { kind: 'Off' } }), 'Off -');
  assert.equal(
    coroutines({ source: 'PerfMap', attach: named, coroutines: { kind: 'Chains' } }),
    'undefined -',
  );
});

test('a JVM whose tables are not read yet is starting', () => {
  assert.equal(told({}), 'Starting JvmYoung Partial -');
});

test('by a perf map it is as it was asked', () => {
  assert.equal(told({ source: 'PerfMap' }), 'Starting JvmYoung Partial -');
  assert.equal(told({ source: 'PerfMap', attach: named, hasPerfMap: true }), 'Profiled PerfMap PerfMap -');
  assert.equal(told({ source: 'PerfMap', attach: { kind: 'gone' } }), 'Gone JvmEnded Partial -');
  assert.equal(told({ source: 'PerfMap', attach: refused }), 'AttachFailed AttachNotGranted Partial -');
});

test('a perf map in place of tables that could not be read has their reason', () => {
  const report = namingReport({
    ...nothing,
    source: 'PerfMap',
    attach: named,
    hasPerfMap: true,
    layoutFailure: incomplete,
  });

  assert.deepEqual(
    [report.state, report.reason, report.symbols],
    ['Profiled', 'LayoutIncomplete', 'PerfMap'],
  );
  assert.match(report.message, /^300 names of a perf map; the JVM's own tables: LayoutIncomplete: /);
});

test('when neither is to be had, both are said', () => {
  const report = namingReport({ ...nothing, source: 'PerfMap', attach: refused, layoutFailure: incomplete });

  assert.equal(report.reason, 'AttachNotGranted');
  assert.match(report.message, /^not allowed; the JVM's own tables: LayoutIncomplete: /);
});

test('where nothing but its tables may be used, it is partial for their reason', () => {
  assert.equal(told({ source: 'None', layoutFailure: incomplete }), 'Partial LayoutIncomplete Partial -');
});

const unwound = { ...namingReport({ ...nothing, source: 'VmStructs' }), jdk: '25', flags: [] };
const live = { reason: '', message: '', ageMs: 90, atMs: 1 };

test('a flag that was set after the tables were read is among the flags, and makes the leaf exact', () => {
  const set = withLive(unwound, { ...live, state: 'Set' });
  const late = withLive(unwound, { ...live, state: 'TooLate' });

  assert.deepEqual([set.flags, set.leaf, set.live?.state], [['DebugNonSafepoints'], 'Exact', 'Set']);
  assert.deepEqual([late.flags, late.leaf, late.live?.state], [[], 'SafepointAccurate', 'TooLate']);
  assert.equal(withLive(unwound, undefined), unwound);
});

test('a leaf is not said to be exact while more than two samples in a hundred are in doubt', () => {
  const set = withLive(unwound, { ...live, state: 'Set' });

  assert.equal(withDoubt(set, 2, 100).leaf, 'Exact');
  assert.equal(withDoubt(set, 3, 100).leaf, 'SafepointAccurate');
  assert.equal(withDoubt(set, 0, 0).leaf, 'Exact');
  assert.equal(withDoubt(unwound, 0, 100).leaf, 'SafepointAccurate');
});
