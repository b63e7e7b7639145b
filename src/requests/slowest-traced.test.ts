import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlowestTraced } from './slowest-traced.ts';

const traced = (id: number, flags = '01') =>
  `00-${'0'.repeat(24)}${id.toString(16).padStart(8, '0')}-b7ad6b7169203331-${flags}`;

test('a page shows the slowest since the page before the last, and never one that is older than one before', () => {
  const pages = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 5 }), { maxLength: 12 });
  fc.assert(
    fc.property(pages, (all) => {
      const slowest = new SlowestTraced();
      let at = 0;
      let shownMs = 0;
      for (const [page, durations] of all.entries()) {
        for (const duration of durations) {
          at += 1;
          const endedMs = at;
          slowest.add(duration, traced(at), () => endedMs);
        }

        const shown = slowest.show();

        const either = [...(all[page - 1] ?? []), ...durations];
        assert.equal(shown?.duration, either.length > 0 ? Math.max(...either) : undefined);
        assert.ok((shown?.endedMs ?? shownMs) >= shownMs);
        shownMs = shown?.endedMs ?? shownMs;
      }
    }),
  );
});

test('what its caller does not record is none, and neither is what has no duration', () => {
  const slowest = new SlowestTraced();
  for (const flags of ['00', '02', 'fe']) slowest.add(9, traced(1, flags), () => 1);
  slowest.add(Number.NaN, traced(2), () => 2);
  slowest.add(-1, traced(3), () => 3);
  assert.equal(slowest.show(), undefined);
  slowest.add(1, traced(4, '03'), () => 4);
  assert.deepEqual(slowest.show(), { traceParent: traced(4, '03'), duration: 1, endedMs: 4 });
});

test('of series that become one the slower is left, of either time', () => {
  const [one, other] = [new SlowestTraced(), new SlowestTraced()];
  one.add(5, traced(1), () => 1);
  other.add(7, traced(2), () => 2);
  for (const each of [one, other]) each.show();
  one.add(3, traced(3), () => 3);
  other.add(2, traced(4), () => 4);
  one.addAll(other);
  assert.deepEqual([one.show()?.duration, one.show()?.duration, one.show()], [7, 3, undefined]);
});
