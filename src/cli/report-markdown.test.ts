import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionReport, RegressionReportStatus } from '../crds/regression-report.ts';
import { reportJunit } from './report-junit.ts';
import { reportMarkdown } from './report-markdown.ts';
import { reportOutput } from './report-output.ts';

const STATUS: RegressionReportStatus = {
  verdict: 'Failed',
  reason: 'FunctionGrew',
  message: 'shop.SlowCodec.encode takes 12.3% more of the CPU',
  startedAt: '2026-01-02T03:00:00Z',
  decidedAt: '2026-01-02T03:04:20Z',
  checks: [
    {
      ...{ check: 'cpu.function', subject: 'shop.SlowCodec.encode', verdict: 'Failed' },
      ...{
        baseline: '0%',
        canary: '12.3%',
        delta: '+12.3%',
        interval: ['+10.1%', '+14.2%'],
        margin: '2.00%',
      },
    },
    { check: 'latency.p99', verdict: 'Inconclusive', message: 'too few requests' },
    { check: 'errors', verdict: 'Passed' },
  ],
  culprits: [
    {
      ...{
        function: 'shop.SlowCodec.encode',
        file: 'SlowCodec.kt',
        line: 87,
        kind: 'New',
        shareOfDelta: '93.0%',
      },
      ...{ baseline: '0%', canary: '12.3%', delta: '+12.3%', interval: ['+10.1%', '+14.2%'] },
      stack: ['java.util.regex.Matcher.find (Matcher.java:722)', 'shop.SlowCodec.encode (SlowCodec.kt:87)'],
    },
  ],
};

const aReport = (status: RegressionReportStatus): RegressionReport => ({
  ...{ apiVersion: 'flamegate.dev/v1alpha1', kind: 'RegressionReport' },
  metadata: {
    ...{ name: 'orders-85bf-1', namespace: 'shop', uid: 'u', generation: 1, resourceVersion: '1' },
    creationTimestamp: '2026-01-02T03:00:00Z',
  },
  spec: {
    ...{ gate: 'orders', gateGeneration: 1, baselineHash: '7c9d', canaryHash: '85bf', attempt: 1 },
    images: { baseline: ['shop/orders:1'], canary: ['shop/orders:2'] },
  },
  status,
});

test('a comment says verdict, sentence, checks and culprit, and folds the rest away', () => {
  const text = reportMarkdown(aReport(STATUS));

  assert.ok(
    text.startsWith(
      '### ❌ Failed: shop/orders\n\nshop.SlowCodec.encode takes 12.3% more of the CPU\n\nCanary `85bf` (`shop/orders:2`)',
    ),
    text,
  );
  assert.match(
    text,
    /\| CHECK \| VERDICT \| BEFORE → AFTER \|.*\n\|---\|---\|---\|---\|---\|\n\| cpu\.function \| Failed \| 0 → 12\.3% \|/,
  );
  assert.match(text, /\n1\. `shop\.SlowCodec\.encode` at `SlowCodec\.kt:87` \(New\): 0 → 12\.3% of CPU/);
  assert.match(text, /<details><summary>Its commonest stack<\/summary>\n\n```\nat java\.util\.regex/);
});

test('names in a comment are no markup, call nobody and link nowhere', () => {
  const [culprit] = STATUS.culprits ?? [];
  assert.ok(culprit);
  const name = '``` | @team <b> https://evil.example \u202e';
  const text = reportMarkdown(
    aReport({
      ...STATUS,
      message: `# <script>alert(1)</script> @everyone [x](https://evil.example) ![y](z) \u202e`,
      culprits: [{ ...culprit, function: name, stack: [`${name} (A.kt:1)`] }],
    }),
  );

  assert.doesNotMatch(text, /<script|\u202e/);
  assert.match(
    text,
    /\n\\# &lt;script&gt;alert\(1\)&lt;\/script&gt; @<!-- -->everyone \\\[x\\\]\(https:<!-- -->\/\/evil/,
  );
  assert.match(text, /\n1\. ```` ``` \\\| @team <b> https:\/\/evil\.example \\u\{202e\} ```` /);
  assert.match(text, /\n````\nat ``` \| @team .*\n````\n/);
});

test('a comment of any report fits into one', () => {
  const [culprit] = STATUS.culprits ?? [];
  assert.ok(culprit);
  const long = Array.from({ length: 5 }, () => ({ ...culprit, function: `${'x'.repeat(30_000)}.f` }));

  const text = reportMarkdown(aReport({ ...STATUS, culprits: long }));

  assert.ok(text.length < 65_536, String(text.length));
  assert.match(text, /_The rest was left out for its length\._\n$/);
});

test('in JUnit each check is a test: failed, skipped while undecided, or passed', () => {
  const text = reportJunit(aReport(STATUS));

  assert.match(text, /<testsuites name="flamegate" tests="3" failures="1" skipped="1" time="260">/);
  assert.match(
    text,
    /name="cpu\.function">\n\s+<failure type="Failed" message="shop\.SlowCodec\.encode: 0 → 12\.3%, \+12\.3% \(\+10\.1 to \+14\.2%\), margin 2\.00%">[^<]*worst: shop\.SlowCodec\.encode \(SlowCodec\.kt:87\)<\/failure>/,
  );
  assert.match(text, /name="latency\.p99">\n\s+<skipped message="Inconclusive: too few requests"\/>/);
  assert.match(text, /name="errors"\/>/);
});

test('JUnit stays XML whatever names are', () => {
  const [check] = STATUS.checks ?? [];
  assert.ok(check);
  const text = reportJunit(
    aReport({ ...STATUS, checks: [{ ...check, subject: `"<&>\u0000\u001b\ud800]]>` }] }),
  );

  assert.ok(text.includes('message="&quot;&lt;&amp;&gt;\ufffd\ufffd\ufffd]]&gt;: '), text);
});

test('an evaluation without checks is one test, of its verdict', () => {
  const text = reportJunit(aReport({ verdict: 'Collecting', message: 'no pods yet' }));

  assert.match(
    text,
    /tests="1" failures="0" skipped="1"[\s\S]*name="verdict">\n\s+<skipped message="Collecting: no pods yet"\/>/,
  );
});

test("a form is named, or told by a file's ending; any other file is the page", () => {
  assert.deepEqual(
    ['markdown', 'junit', 'a.md', 'reports/A.XML', 'a.json', 'a.html', undefined].map((named) => {
      const { format, output } = reportOutput(named);
      return [format, output];
    }),
    [
      ['markdown', undefined],
      ['junit', undefined],
      ['markdown', 'a.md'],
      ['junit', 'reports/A.XML'],
      ['json', 'a.json'],
      ['text', 'a.html'],
      ['text', undefined],
    ],
  );
});

test('a comment links to the changes between the builds, and names the commits of a clone without calling anybody', () => {
  const report = aReport(STATUS);
  const source = 'https://github.com/acme/shop';
  const builtFrom = { baseline: { revision: 'v1', source }, canary: { revision: 'v2', source } };
  const touched = {
    ...{ path: 'src/shop/SlowCodec.kt', lines: [80, 95] as const, hasMore: false },
    commits: [{ id: 'abc', date: '2026-11-20', author: '@team', subject: 'Fix #12 <b>' }],
  };
  const commits = {
    ...{ repository: '.', baseline: 'aaa', canary: 'bbb', commits: 2 },
    culprits: [{ function: 'shop.SlowCodec.encode', found: { kind: 'Changed' as const, touched } }],
  };

  const text = reportMarkdown({ ...report, spec: { ...report.spec, builtFrom } }, commits);

  assert.ok(text.includes('(`shop/orders:2`, built from `v2 of https://github.com/acme/shop`)'), text);
  assert.ok(
    text.includes('attempt 1. [Changes in the source](<https://github.com/acme/shop/compare/v1...v2>)'),
    text,
  );
  assert.ok(text.includes('Commits: 2 between aaa and bbb in .'), text);
  assert.ok(
    text.includes(`
   - src/shop/SlowCodec.kt:80-95 changed by:
     - abc 2026-11-20 @<!-- -->team: Fix \\#12 &lt;b&gt;
`),
    text,
  );
});
