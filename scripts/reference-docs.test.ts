/**
 * docs/conditions.md, docs/errors.md and docs/metrics.md against the source, both ways: what a user can meet is explained there, and
 * what is explained there can be met.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createMetrics } from '../src/agent/metrics.ts';
import { createRequestDurations } from '../src/agent/request-durations.ts';
import {
  CLUSTER_PROFILING_POLICY_CONDITIONS,
  PROFILING_POLICY_CONDITIONS,
  REGRESSION_GATE_CONDITIONS,
} from '../src/crds/condition-types.ts';
import { literalsNamed } from './reference/literals-named.ts';
import { firstCells, sectionsOf } from './reference/markdown-tables.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const SOURCES = globSync('src/**/*.ts', {
  exclude: ['**/*.test.ts', '**/*-fixture.ts', '**/testing/**', 'src/profile/diff-page-assets.ts'],
});
const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].toSorted();
const missing = (from: Iterable<string>, all: readonly string[]): readonly string[] =>
  sorted(from).filter((name) => !all.includes(name));

/** Properties and parameters by which a reason reaches a status, a report or an Event. */
const REASONS = [
  'reason',
  'flag',
  'outcome',
  'rateReason',
  'coroutinesReason',
  'NOT_GRANTED',
  'OUT_OF_REACH',
];
/** Named so too, and no reasons: how a chain of continuations ended, or an exchange; a flag of the JVM. */
const OF_NOBODY = [
  ...['HeapMoved', 'NotAContinuation', 'NoJob', 'TooLong'],
  ...['Completed', 'Unfinished', 'Reset', 'ClientGone', 'DisableAttachMechanism'],
];

const found = literalsNamed(SOURCES, { reason: REASONS, code: ['code'] });

test('each condition of each kind is documented with exactly its reasons', () => {
  const sections = sectionsOf(read('docs/conditions.md'));
  const documented = (kind: string, type: string) => firstCells(sections.get(`${kind}/${type}`) ?? '');

  for (const [type, reasons] of Object.entries(CLUSTER_PROFILING_POLICY_CONDITIONS))
    assert.deepEqual(sorted(documented('ProfilingPolicy', type)), sorted(reasons), type);
  assert.deepEqual(
    Object.keys(PROFILING_POLICY_CONDITIONS),
    Object.keys(CLUSTER_PROFILING_POLICY_CONDITIONS),
    'both kinds of policies have one chapter',
  );
  for (const [type, reasons] of Object.entries(REGRESSION_GATE_CONDITIONS))
    assert.deepEqual(sorted(documented('RegressionGate', type)), sorted(reasons), type);
});

test('each reason in the source is in docs/conditions.md or docs/sinks.md, and the other way round', () => {
  const documented = firstCells(read('docs/conditions.md'));
  const elsewhere = [...firstCells(read('docs/sinks.md')), ...OF_NOBODY];
  const CAMEL = /^[A-Z][A-Za-z0-9]*$/;
  const inSource = [...(found.get('reason') ?? [])].filter((name) => CAMEL.test(name));
  const ofConditions = [CLUSTER_PROFILING_POLICY_CONDITIONS, REGRESSION_GATE_CONDITIONS].flatMap((table) =>
    Object.values(table).flat(),
  );
  // an Event about a rollout is the condition's reason behind this word (action-status.ts)
  const ofEvents = REGRESSION_GATE_CONDITIONS.RolloutStopped.map((reason) => `Rollout${reason}`);

  assert.deepEqual(missing(inSource, [...documented, ...elsewhere]), [], 'not documented');
  assert.deepEqual(
    missing(documented, [...inSource, ...(found.get('code') ?? []), ...ofConditions, ...ofEvents]),
    [],
    'documented, and not in the source',
  );
});

test('each error code in the source is in docs/errors.md, and the other way round', () => {
  const documented = firstCells(read('docs/errors.md'));
  // ours have an underscore, or are one of these words; the system's (ENOENT), Node's and the network's are not ours to explain
  const isOurs = (code: string): boolean =>
    /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(code)
      ? !/^(ERR_|ABORT_ERR$|UND_ERR_)/.test(code)
      : WORDS.includes(code);
  const WORDS = ['USAGE', 'INTERNAL'];
  const inSource = [...(found.get('code') ?? [])].filter(isOurs);

  assert.deepEqual(missing(inSource, documented), [], 'not documented');
  const source = SOURCES.map(read).join('\n'); // one is only said in a sentence
  const unsaid = documented.filter((code) => !new RegExp(`\\b${code}\\b`).test(source));
  assert.deepEqual(unsaid, [], 'documented, and not in the source');
});

test('each metric of agents and controller is in docs/metrics.md, and the other way round', () => {
  const OURS =
    /\b(?:flamegate|workqueue|controller_runtime|rest_client|leader_election)_[a-z0-9_]*[a-z0-9]\b/g;
  const text = read('docs/metrics.md');
  const documented = sorted([...text.matchAll(OURS)].map(([name]) => name));
  const ofAgents = [...createMetrics(createRequestDurations()).families()].map(({ name }) => name);
  const ofController = SOURCES.filter((path) => path.startsWith('src/controller/')).flatMap((path) =>
    [...read(path).matchAll(/'([a-z0-9_]+)'/g)].flatMap(([, name = '']) => name.match(OURS) ?? []),
  );

  assert.ok(ofAgents.length > 30 && ofController.length > 25, 'both were found');
  for (const name of sorted(ofAgents)) assert.ok(text.includes(name), `${name} is not documented`);
  assert.deepEqual(missing(ofController, documented), [], 'not documented');
  assert.deepEqual(
    missing(documented, [...ofAgents, ...ofController]),
    [],
    'documented, and not in the source',
  );
});
