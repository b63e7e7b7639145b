/** A RegressionReport as JUnit XML, which every CI shows: a test for each check. Pure. */
import type { RegressionReport, ReportCheck } from '../crds/regression-report.ts';
import { beforeAfter, changeText } from '../crds/report-tables.ts';

export function reportJunit({ metadata, spec, status = {} }: RegressionReport): string {
  const { checks = [], culprits = [], startedAt, decidedAt } = status;
  const verdict = status.verdict ?? 'Collecting';
  const seconds =
    startedAt === undefined || decidedAt === undefined
      ? 0
      : (Date.parse(decidedAt) - Date.parse(startedAt)) / 1_000;
  const worst = culprits.find(({ kind }) => kind !== 'Moved') ?? culprits[0];
  const named =
    worst === undefined
      ? ''
      : `${worst.function}${worst.file === undefined ? '' : ` (${worst.file}${worst.line === undefined ? '' : `:${worst.line}`})`}`;
  // Without any check, what the report says as a whole is the only test there is.
  const cases =
    checks.length === 0 ? [{ check: 'verdict', verdict, message: status.message ?? '' } as const] : checks;
  const failed = cases.filter((check) => check.verdict === 'Failed').length;
  const open = cases.filter((check) => check.verdict !== 'Failed' && check.verdict !== 'Passed').length;
  const suite = `${metadata.namespace}/${spec.gate}`;
  const properties = [
    ['verdict', verdict],
    ['canary', spec.canaryHash],
    ['baseline', spec.baselineHash],
    ['report', metadata.name],
  ].map(([name, value]) => `      <property name="${xml(name ?? '')}" value="${xml(value ?? '')}"/>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="flamegate" tests="${cases.length}" failures="${failed}" skipped="${open}" time="${seconds}">
  <testsuite name="${xml(suite)}" tests="${cases.length}" failures="${failed}" errors="0" skipped="${open}" time="${seconds}"${startedAt === undefined ? '' : ` timestamp="${xml(startedAt)}"`}>
    <properties>
${properties.join('\n')}
    </properties>
${cases.map((check) => testCase(check, { suite, message: status.message ?? '', named })).join('\n')}
  </testsuite>
</testsuites>
`;
}

interface About {
  readonly suite: string;
  readonly message: string;
  readonly named: string;
}

/** What is not decided is skipped, with the reason: it neither passed nor failed. */
function testCase(check: ReportCheck, { suite, message, named }: About): string {
  const begin = `    <testcase classname="${xml(suite)}" name="${xml(check.check)}"`;
  const numbers =
    check.delta === undefined
      ? ''
      : `${beforeAfter(check)}, ${changeText(check)}, margin ${check.margin ?? '-'}`;
  const why = [check.message ?? numbers, ...(check.message === undefined ? [] : [numbers])].filter(
    (part) => part !== '',
  );
  switch (check.verdict) {
    case 'Passed':
      return `${begin}/>`;
    case 'Failed': {
      const culprit = check.check === 'cpu.function' && named !== '' ? [`worst: ${named}`] : [];
      const text = [message, ...why, ...culprit].filter((part) => part !== '').join('\n');
      return `${begin}>\n      <failure type="Failed" message="${xml(check.subject ?? check.check)}: ${xml(numbers)}">${xml(text)}</failure>\n    </testcase>`;
    }
    case 'Collecting':
    case 'Inconclusive':
    case 'NotObservable':
      return `${begin}>\n      <skipped message="${xml([check.verdict, ...why].join(': '))}"/>\n    </testcase>`;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 has no way to say a control character or half of a pair: such a document would be none. */
const xml = (text: string): string =>
  text
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
