import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../command-line.ts';

const parsed = (...more: string[]) =>
  parseCommandLine(['compare', '--baseline', 'a', '--canary', 'b', ...more]);

test('two commands are enough; every part can be given', () => {
  const common = { kind: 'compare', baseline: 'a', canary: 'b' };
  assert.deepEqual(parsed(), {
    ...{ ...common, load: undefined, page: undefined, ready: { kind: 'port' }, warmUpMs: 10_000 },
    ...{ runMs: 15_000, deadlineMs: 900_000, frequencyHz: 199, failOn: 0.02, format: 'text' },
  });
  const more =
    '--load c --ready http://a:$PORT/b --warm-up 0s --run 5s --deadline 1h --frequency 49 --fail-on 0.5%';
  assert.deepEqual(parsed(...more.split(' '), '-o', 'junit', '--page', 'a.html'), {
    ...{ ...common, load: 'c', page: 'a.html', ready: { kind: 'url', url: 'http://a:$PORT/b' }, warmUpMs: 0 },
    ...{ runMs: 5_000, deadlineMs: 3_600_000, frequencyHz: 49, failOn: 0.005, format: 'junit' },
  });
  const page = parsed('-o', 'a.html', '--ready', '5s');
  assert.deepEqual(page.kind === 'compare' && [page.format, page.page, page.ready], [
    'text',
    'a.html',
    { kind: 'wait', ms: 5_000 },
  ]);
});

test('what cannot be meant is refused with the option and how it is right', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['--run 0s', /--run is 1s to 1h/],
    ['--warm-up soon', /--warm-up: "soon" is not a duration/],
    ['--deadline 30s', /shorter than one round/],
    ['--deadline 7h', /--deadline is 0s to 6h/],
    ['--fail-on 0%', /--fail-on is above 0%/],
    ['--fail-on 100%', /below 100%/],
    ['--ready ftp://a', /--ready: .* is not a duration/],
    ['--frequency 1000', /--frequency is 1 to 199/],
    ['-o yaml', /--output of compare is text, json, markdown, junit or a file\.html/],
    ['--pid 7', /compare takes no --pid/],
    ['more', /expected: flamegate compare/],
  ];
  for (const [line, message] of wrong) {
    assert.throws(() => parsed(...line.split(' ')), { code: 'USAGE', message }, line);
  }
  assert.throws(() => parseCommandLine(['compare', '--canary', 'b']), /needs --baseline and --canary/);
  assert.throws(() => parsed('--load', ' '), /--load is a command/);
});
