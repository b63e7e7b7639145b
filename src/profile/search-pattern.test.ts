import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchNames, searchPattern } from './search-pattern.ts';

function matches(typed: string, name: string): boolean {
  const pattern = searchPattern(typed);
  assert.ok(pattern.kind === 'pattern', typed);
  return pattern.matches(name);
}

test('what is typed is a regular expression, whatever its case', () => {
  assert.ok(matches('CODEC', 'shop.SlowCodec.encode'));
  assert.ok(matches('^shop.*(encode|decode)$', 'shop.SlowCodec.decode'));
  assert.ok(!matches('^codec', 'shop.SlowCodec.encode'));
  assert.equal(searchPattern('  ').kind, 'all');
});

test('what is no expression is looked for as it stands', () => {
  assert.ok(matches('foo(', 'shop.Foo(int)'));
  assert.ok(matches('[GC', '[GC thread]'));
});

test('expressions that could take for ever are refused with a reason', () => {
  const slow = [
    '(a+)+$',
    '(a|a)*b',
    '(x?){40}',
    '(a)\\1',
    '.*.*.*.*x',
    '(?=a)b',
    'a?a?a?a?a?a?a?a?a?aaaaaaaaa',
  ];
  for (const typed of slow) assert.equal(searchPattern(typed).kind, 'refused', typed);
  assert.equal(searchPattern('a'.repeat(300)).kind, 'refused');
  assert.ok(matches('[+*?{}()]+', 'a*b'), 'in brackets they are characters');
});

test('the worst that is taken ends for one name, and is given up among many', () => {
  const name = 'a'.repeat(100_000);
  assert.ok(!matches('.*.*x', name));
  assert.ok(!matches('a?a?a?a?a?a?a?a?aaaaaaaaab', name));
  const pattern = searchPattern('.*.*x');
  assert.ok(pattern.kind === 'pattern');
  let nowMs = 0;
  const slowClock = () => {
    nowMs += 100;
    return nowMs;
  };
  assert.equal(matchNames(pattern, ['x', 'y', 'x', 'x', 'x', 'x', 'x'], slowClock), undefined);
  assert.deepEqual(matchNames(pattern, ['x', 'y'], slowClock), [true, false]);
});
