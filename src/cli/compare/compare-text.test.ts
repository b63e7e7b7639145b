import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunsJudgement } from '../../detect/paired-runs.ts';
import { rendered } from './compare-text.ts';

const HOSTILE = 'shop.<script>|[a](b)\u0000\uffff]]>.run';

const compared = (judged: Partial<RunsJudgement> = {}) => ({
  judged: {
    ...{ verdict: 'Passed', rounds: 5, grown: [], most: { growth: 0.0123, name: 'shop.Orders.get' } },
    ...{ samples: { baseline: 9_000, canary: 10_000 }, ...judged },
  } satisfies RunsJudgement,
  failOn: 0.02,
  seconds: 300,
});
const failed = (name: string) =>
  compared({
    verdict: 'Failed',
    grown: [{ name, callers: ['shop.Orders.get'], baseline: 0.01, canary: 0.06, least: 0.03, most: 0.07 }],
  });

test('a failure begins with the function, then says by how much', () => {
  const text = rendered(failed('shop.SlowCodec.decode'), 'text');
  assert.equal(
    text,
    [
      'Failed after 5 rounds: shop.SlowCodec.decode takes more CPU',
      '  shop.SlowCodec.decode: 1.00% to 6.00% of the CPU, by 3.00% at least; called from shop.Orders.get',
      '10,000 samples of the canary against 9,000, in 300 s',
      '',
    ].join('\n'),
  );
});

test('without a failure it says what may still have grown', () => {
  assert.match(
    rendered(compared(), 'text'),
    /^Passed after 5 rounds: .* by 2\.00% of the CPU; by 1\.23% at most\n/,
  );
  const open = compared({ verdict: 'Inconclusive', most: { growth: 0.031, name: 'shop.Orders.get' } });
  assert.match(
    rendered(open, 'text'),
    /^Inconclusive after 5 rounds: shop\.Orders\.get may have grown by 3\.10%/,
  );
  assert.match(
    rendered(compared({ verdict: 'Inconclusive', rounds: 1 }), 'text'),
    /after 1 round: 4 are needed/,
  );
});

test('the document for scripts holds the functions', () => {
  const document = JSON.parse(rendered(failed('a.B.c'), 'json'));
  assert.equal(document.verdict, 'Failed');
  assert.equal(document.functions[0].name, 'a.B.c');
});

test('names in Markdown and XML are text, whatever is in them', () => {
  const markdown = rendered(failed(HOSTILE), 'markdown');
  for (const markup of ['<script', '|[', '\u0000']) assert.ok(!markdown.includes(markup), markdown);
  const junit = rendered(failed(HOSTILE), 'junit');
  assert.match(junit, /tests="1" failures="1" errors="0"/);
  assert.match(junit, /<failure message="Failed after 5 rounds: shop\.&#60;script&#62;/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  assert.ok(!/<script|[\u0000\uffff]/.test(junit), junit);
  assert.match(rendered(compared({ verdict: 'Inconclusive' }), 'junit'), /failures="0" errors="1"/);
  assert.match(rendered(compared(), 'junit'), /name="CPU by function" time="300\.0"><\/testcase>/);
});
