/** A RegressionReport, and what was seen of its arms, as the page that people read. Pure. */
import { buildText, changesUrl } from '../../crds/built-from.ts';
import { formatDuration } from '../../crds/quantities.ts';
import type { Culprit, RegressionReport } from '../../crds/regression-report.ts';
import {
  culpritsTable,
  culpritsTitle,
  culpritText,
  evidenceTable,
  hasContent,
  leftOutTable,
  notesTable,
  routeTables,
  settlingTable,
} from '../../crds/report-tables.ts';
import type { DiffPageInput, PageCulprit, PageLink, PageTable } from '../../profile/diff-page.ts';
import { foldingOf } from '../../profile/folding.ts';
import { placeText } from '../../profile/place.ts';
import { intervalRows, latencyOf, timelineOf } from './report-charts.ts';
import { type ArmsData, reportViews } from './report-views.ts';

export interface ReportPageData {
  readonly report: RegressionReport;
  readonly arms: ArmsData;
  readonly links: readonly PageLink[];
  readonly nowMs: number;
}

export function reportPageInput({ report, arms, links, nowMs }: ReportPageData): DiffPageInput {
  const { metadata, spec, status = {} } = report;
  const views = reportViews(arms);
  const fromMs = Date.parse(status.startedAt ?? metadata.creationTimestamp);
  const toMs = status.decidedAt === undefined ? nowMs : Date.parse(status.decidedAt);
  const windows = { baseline: arms.baseline.windows, canary: arms.canary.windows };
  return {
    title: `${metadata.namespace}/${spec.gate}`,
    verdict: status.verdict ?? 'Collecting',
    subtitle: status.message ?? 'Nothing is known yet.',
    facts: factsOf(report),
    links: [...links, ...changesLink(report)],
    views,
    noViews:
      'The samples of this evaluation are no longer kept (the controller has them for an hour): there is no flame graph. What was found is above and below.',
    checks: intervalRows(status),
    latency: latencyOf(status, windows),
    timeline: timelineOf(status, windows, { fromMs, toMs }),
    culprits: culpritsOf(status.culprits ?? []),
    culpritsTitle: culpritsTitle(status),
    tables: tablesOf(report, views.length > 0),
  };
}

function factsOf({ metadata, spec, status = {} }: RegressionReport): readonly (readonly [string, string])[] {
  const { pods, samples, requests, startedAt, decidedAt } = status;
  const of = (arm: 'baseline' | 'canary'): string => {
    const counts = [
      ...(pods === undefined ? [] : [`${pods[arm]} pods`]),
      ...(samples === undefined ? [] : [`${samples[arm].toLocaleString('en')} samples`]),
      ...(requests === undefined ? [] : [`${requests[arm].toLocaleString('en')} requests`]),
    ];
    const built = buildText(spec.builtFrom?.[arm]);
    const ran = [spec[`${arm}Hash`], ...spec.images[arm]].join(' ');
    return [ran, ...(built === '' ? [] : [`built from ${built}`]), ...counts].join(' · ');
  };
  const took =
    startedAt === undefined
      ? 'not started'
      : decidedAt === undefined
        ? `began ${startedAt}, not decided`
        : `${startedAt}, decided after ${formatDuration(Date.parse(decidedAt) - Date.parse(startedAt))}`;
  return [
    ['Baseline', of('baseline')],
    ['Canary', of('canary')],
    ['Evaluation', `${metadata.name}, attempt ${spec.attempt}`],
    ['Time', took],
  ];
}

function changesLink({ spec: { builtFrom } }: RegressionReport): readonly PageLink[] {
  const href = changesUrl(builtFrom?.baseline, builtFrom?.canary);
  return href === undefined ? [] : [{ href, text: 'Changes in the source' }];
}

const MOST_CULPRITS = 5;

const culpritsOf = (culprits: readonly Culprit[]): readonly PageCulprit[] =>
  culprits.slice(0, MOST_CULPRITS).map((culprit) => {
    const { function: name, file, line, kind, route, dispatcher } = culprit;
    const where = [
      ...(route === undefined ? [] : [`for ${route}`]),
      ...(dispatcher === undefined ? [] : [`on ${dispatcher}`]),
    ];
    return { name, kind, place: placeText(file, line), text: [culpritText(culprit), ...where].join('; ') };
  });

/** Where there is no picture any more, at least the stacks that the report kept. */
function tablesOf({ status = {} }: RegressionReport, hasPicture: boolean): readonly PageTable[] {
  const { culprits = [] } = status;
  const stacks = hasPicture ? [] : culprits.slice(0, MOST_CULPRITS).map(stackTable);
  return [
    settlingTable(status),
    ...routeTables(status),
    ...(culprits.length > MOST_CULPRITS ? [culpritsTable(status)] : []),
    ...stacks,
    leftOutTable(status),
    evidenceTable(status),
    notesTable(status),
  ].filter(hasContent);
}

const stackTable = ({ function: name, stack }: Culprit): PageTable => ({
  title: `Commonest stack of ${foldingOf([]).nameOf(name)}`,
  header: [],
  rows: [],
  notes: stack.map((frame) => `at ${frame}`),
});
