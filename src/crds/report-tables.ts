/** What a RegressionReport says, as tables: for a terminal and for a page alike. Pure. */
import { FLAG_SENTENCES } from './flag-sentences.ts';
import type {
  Culprit,
  LeftOutPod,
  RegressionReportStatus,
  ReportCheck,
  WouldSettle,
} from './regression-report.ts';

export interface ReportTable {
  readonly title: string;
  /** Empty where there are only notes. */
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below it. */
  readonly notes: readonly string[];
}

/** What was compared. */
export function checksTable({ checks = [] }: RegressionReportStatus): ReportTable {
  const rows = checks.map((check) => [
    check.check,
    check.verdict,
    beforeAfter(check),
    changeText(check),
    check.margin ?? '',
  ]);
  return {
    title: 'Checks',
    header: ['CHECK', 'VERDICT', 'BEFORE → AFTER', 'CHANGE (INTERVAL)', 'MARGIN'],
    rows,
    notes: checks.flatMap(checkNotes),
  };
}

function checkNotes(check: ReportCheck): string[] {
  const since =
    check.since === undefined
      ? []
      : [
          `${check.check}: since ${check.since} into the evaluation; the change is against the canary before.`,
        ];
  const hasNoVote = check.check === COST && !hasVote(check) && check.verdict !== 'NotObservable';
  const unseen =
    check.verdict === 'NotObservable' && check.check !== COST ? [`${check.check}: ${check.message}.`] : [];
  return [
    ...since,
    ...(hasNoVote ? [`${COST} (CPU of a request) is reported only; it decides nothing.`] : []),
    ...unseen,
  ];
}

const COST = 'cpu.perRequest';
const FUNCTIONS = 'cpu.function';

/** A check that decides has a part of falseFailureRate. */
const hasVote = ({ falseFailureRate }: ReportCheck): boolean => falseFailureRate !== undefined;

/** Whether requests failed the gate: then nothing tells whether CPU that grew is their cause. */
export const cpuIsBesideRequests = ({ verdict, checks = [] }: RegressionReportStatus): boolean =>
  verdict === 'Failed' &&
  checks.some((check) => check.verdict === 'Failed' && check.check !== FUNCTIONS && hasVote(check));

export const culpritsTitle = (status: RegressionReportStatus): string =>
  cpuIsBesideRequests(status)
    ? 'CPU that grew at the same time: co-occurring, not shown to be the cause'
    : 'Functions that grew';

/** "of CPU" numbers of a culprit, in a line. */
export function culpritText(culprit: Culprit): string {
  const { perRequest, shareOfDelta, kind } = culprit;
  const cost = perRequest === undefined ? '' : `, about ${perRequest} of CPU a request`;
  const part =
    kind === 'Moved' ? 'moved here: other code shrank by as much' : `${shareOfDelta} of the growth found`;
  return `${beforeAfter(culprit)} of CPU: ${changeText(culprit)}${cost}; ${part}`;
}

export function culpritsTable(status: RegressionReportStatus): ReportTable {
  const { culprits = [] } = status;
  const hasCost = culprits.some(({ perRequest }) => perRequest !== undefined);
  return {
    title: culpritsTitle(status),
    header: [
      'KIND',
      'CPU BEFORE → AFTER',
      'CHANGE (INTERVAL)',
      ...(hasCost ? ['A REQUEST'] : []),
      'OF GROWTH',
      'FUNCTION',
    ],
    rows: culprits.map((culprit) => [
      culprit.kind,
      beforeAfter(culprit),
      changeText(culprit),
      ...(hasCost ? [culprit.perRequest ?? ''] : []),
      culprit.kind === 'Moved' ? '' : culprit.shareOfDelta,
      culprit.function,
    ]),
    notes: [],
  };
}

/** One for each check that a reader would ask of: one that failed, one that is open, or one with a route that grew. */
export function routeTables({ verdict, checks = [], routes = [] }: RegressionReportStatus): ReportTable[] {
  const asked = checks.filter(
    (check) =>
      check.verdict === 'Failed' ||
      (check.verdict !== 'Passed' && verdict !== 'Failed') ||
      routes.some((route) => route.check === check.check && route.grown),
  );
  return asked
    .map(({ check }) => ({
      title: `${check} by route`,
      header: ['REQUESTS', 'OF GROWTH', 'BEFORE → AFTER', 'CHANGE (INTERVAL)', 'GREW', 'ROUTE'],
      rows: routes
        .filter((route) => route.check === check)
        .map((route) => [
          route.requests.toLocaleString('en'),
          route.shareOfDelta ?? '-',
          beforeAfter(route),
          changeText(route),
          route.grown ? (route.since === undefined ? 'yes' : `since ${route.since}`) : '-',
          route.route,
        ]),
      notes: ['No verdict rests on a single route; of those that grew, one in twenty may not have.'],
    }))
    .filter(({ rows }) => rows.length > 0);
}

/** Where every pod can be left out without any change of the verdict, that is one sentence. */
export function leftOutTable({ checks = [], leaveOnePodOut = [] }: RegressionReportStatus): ReportTable {
  const rows: string[][] = [];
  const notes: string[] = [];
  for (const { check, verdict } of checks) {
    const without = leaveOnePodOut.filter((row) => row.check === check);
    if (without.length === 0) continue;
    if (without.every(({ verdictWithout }) => verdictWithout === verdict))
      notes.push(unanimous(check, without));
    else rows.push(...without.map((row) => [check, leftOutText(row), row.verdictWithout, row.pod]));
  }
  return {
    title: 'Without each single canary pod',
    header: rows.length === 0 ? [] : ['CHECK', 'CHANGE (INTERVAL)', 'VERDICT', 'WITHOUT'],
    rows,
    notes,
  };
}

const leftOutText = ({ effect, lower, upper }: LeftOutPod): string =>
  changeText({ delta: effect, interval: [lower, upper] });

function unanimous(check: string, without: readonly LeftOutPod[]): string {
  const inOrder = without.toSorted((a, b) => Number.parseFloat(a.effect) - Number.parseFloat(b.effect));
  const least = inOrder[0]?.effect ?? '';
  const most = inOrder.at(-1)?.effect ?? '';
  const verdict = without[0]?.verdictWithout;
  return `${check}: ${verdict} without any one of ${without.length} pods, at a change of ${least === most ? least : range(least, most)}.`;
}

export function settlingTable({ wouldSettle = [] }: RegressionReportStatus): ReportTable {
  return {
    title: 'What would have settled it, each alone, if the canary stays as it is',
    header: ['CHECK', 'DEADLINE', 'BASELINE + CANARY PODS', 'TRAFFIC', 'MARGIN'],
    rows: wouldSettle.map((one) => [
      one.check,
      one.deadline ?? '-',
      podsText(one),
      one.traffic ?? '-',
      one.margin ?? '-',
    ]),
    notes: [],
  };
}

const podsText = ({ pods }: WouldSettle): string =>
  pods === undefined ? '-' : `${pods.baseline} + ${pods.canary}`;

/** What the verdict may cost in false alarms, and how far the evidence went. */
export function evidenceTable({ checks = [], falseFailureRate }: RegressionReportStatus): ReportTable {
  const rows = checks
    .filter(hasVote)
    .map((check) => [
      check.check,
      check.falseFailureRate ?? '',
      check.evidence ?? '',
      check.evidenceNeeded ?? '',
      check.detectable ?? '-',
    ]);
  const rate = falseFailureRate && [
    `Of harmless canaries at most ${falseFailureRate.allowed} are Failed; what could be compared here may cost ${falseFailureRate.spent}.`,
  ];
  return {
    title: 'Evidence of growth, and the false alarms it may cost',
    header: ['CHECK', 'MAY COST', 'EVIDENCE', 'PROOF FROM', 'WOULD HAVE SEEN'],
    rows,
    notes:
      rows.length === 0
        ? []
        : [...(rate ?? []), 'Evidence: how many times likelier the data are with growth than without.'],
  };
}

export const notesTable = ({ flags = [], folded = [] }: RegressionReportStatus): ReportTable => ({
  title: 'Know this of the data',
  header: [],
  rows: [],
  notes: [
    ...flags.map((flag) => `${flag}${FLAG_SENTENCES[flag] === undefined ? '' : `: ${FLAG_SENTENCES[flag]}`}`),
    ...folded.map((what) => `Left out for size: ${what}.`),
  ],
});

export const hasContent = ({ rows, notes }: ReportTable): boolean => rows.length > 0 || notes.length > 0;

interface Effect {
  readonly baseline?: string;
  readonly canary?: string;
  readonly delta?: string;
  readonly interval?: readonly string[];
}

/** "80.1 → 92.4ms" */
export const beforeAfter = ({ baseline, canary }: Effect): string =>
  baseline === undefined || canary === undefined ? '-' : inOneUnit(baseline, '→', canary);

/** "+12.3ms (+6.1 to +18.5ms)" */
export function changeText({ delta, interval }: Effect): string {
  if (delta === undefined) return '-';
  const [low, high] = interval ?? [];
  return low === undefined || high === undefined ? delta : `${delta} (${range(low, high)})`;
}

const range = (low: string, high: string): string => inOneUnit(low, 'to', high);

const UNIT = /(%|ms)$/;

function inOneUnit(first: string, between: string, second: string): string {
  const [unit] = UNIT.exec(second) ?? [];
  const isSame = unit !== undefined && UNIT.exec(first)?.[0] === unit;
  return `${isSame ? first.slice(0, -unit.length) : first} ${between} ${second}`;
}
