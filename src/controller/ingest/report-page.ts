/** GET of a report's diff flame graph: one self-contained HTML page, for people with their own token. */

import { parseDurationMs } from '../../crds/quantities.ts';
import type { Culprit, RegressionReport, RegressionReportStatus } from '../../crds/regression-report.ts';
import {
  checksTable,
  cpuIsBesideRequests,
  culpritsTable,
  evidenceTable,
  hasContent,
  leftOutTable,
  notesTable,
  type ReportTable,
  routeTables,
  settlingTable,
} from '../../crds/report-tables.ts';
import { type PageCulprit, renderDiffPage } from '../../profile/diff-page.ts';
import { placeText } from '../../profile/place.ts';
import type { StackCount } from '../../profile/stack-counts.ts';
import { waitFrame } from '../../profile/waiting.ts';
import type { Arm, WindowStore } from '../../store/window-store.ts';
import type { ClusterView } from '../cluster-view.ts';
import { refsIn, unionOf } from '../regression-gate/members.ts';
import type { Authenticator } from './authenticate.ts';
import type { Endpoint } from './batches.ts';
import { Refusal, send } from './refusal.ts';

export interface ReportPageOptions {
  readonly authenticator: Authenticator;
  readonly view: ClusterView;
  readonly store: WindowStore;
  readonly now: () => number;
}

export const REPORT_PAGE_PATTERN = /^\/reports\/v1\/([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})\/flamegraph$/;

/** Agents look twenty times a second at who waits (native/wait_scan.cc). */
export const NS_PER_LOOK = 50_000_000;
const NS_PER_SLOW_CALL = 10_000_000;

/** The page names in itself what it may run; that nothing may frame it can only be said here. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

export function reportPageEndpoint(options: ReportPageOptions): Endpoint {
  return async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'https://localhost');
    const [, namespace = '', name = ''] = REPORT_PAGE_PATTERN.exec(pathname) ?? [];
    await options.authenticator.viewer(request, namespace);
    const report = reportAt(options.view, namespace, name);
    send(response, { status: 200, headers: PAGE_HEADERS, body: pageOf(report, options) });
  };
}

export function reportAt(view: ClusterView, namespace: string, name: string): RegressionReport {
  const report = view.reports(namespace).find(({ metadata }) => metadata.name === name);
  if (report !== undefined) return report;
  throw new Refusal(404, 'REPORT_NOT_FOUND', `no RegressionReport ${name} in namespace ${namespace}`);
}

function pageOf(report: RegressionReport, options: ReportPageOptions): string {
  const baseline = profileOf(report, 'baseline', options);
  const canary = profileOf(report, 'canary', options);
  if (baseline.length === 0 || canary.length === 0) {
    const sentence = `the windows of report ${report.metadata.name} are no longer in the store, which keeps one hour`;
    throw new Refusal(410, 'REPORT_DATA_GONE', sentence);
  }
  const waiting = {
    baseline: waitingOf(report, 'baseline', options),
    canary: waitingOf(report, 'canary', options),
  };
  const io = { baseline: ioOf(report, 'baseline', options), canary: ioOf(report, 'canary', options) };
  const { spec, status } = report;
  const [culprit] = status?.culprits ?? [];
  return renderDiffPage({
    title: `${report.metadata.namespace}/${spec.gate}: ${status?.verdict ?? 'Collecting'}`,
    subtitle: `canary ${spec.canaryHash} against baseline ${spec.baselineHash}, attempt ${spec.attempt}. ${status?.message ?? ''}`,
    baseline,
    canary,
    ...(waiting.baseline.length > 0 && waiting.canary.length > 0 && { waiting }),
    ...(io.baseline.length + io.canary.length > 0 && { io }), // a baseline without any is good news
    ...(culprit === undefined ? {} : { culprit: culpritOf(culprit, status ?? {}) }),
    report: reportOf(status ?? {}),
  });
}

const culpritOf = ({ function: name, file, line }: Culprit, status: RegressionReportStatus): PageCulprit => ({
  name,
  place: placeText(file, line),
  ...(cpuIsBesideRequests(status) && { label: 'Grew at the same time, not shown to be the cause' }),
});

const reportOf = (status: RegressionReportStatus): readonly ReportTable[] =>
  [
    checksTable(status),
    settlingTable(status),
    ...routeTables(status),
    culpritsTable(status),
    leftOutTable(status),
    evidenceTable(status),
    notesTable(status),
  ].filter(hasContent);

/** What the arm burnt during the evaluation, without the windows of pods that were still warming up. */
function profileOf(report: RegressionReport, arm: Arm, options: ReportPageOptions): readonly StackCount[] {
  return summed(options.store.windows(queryOf(report, arm, options)), warmUpOf(report, options));
}

const IDLE = waitFrame('idle');

/** What its threads waited for, but for work: as often as a look found them waiting, so that noise is judged as for samples. */
function waitingOf(report: RegressionReport, arm: Arm, options: ReportPageOptions): readonly StackCount[] {
  const waited = summed(
    options.store.times('waiting', queryOf(report, arm, options)),
    warmUpOf(report, options),
  );
  const busy = waited.filter(({ frames }) => frames[0] !== IDLE); // most of it, and of no interest
  return busy.map((stack) => ({ ...stack, count: Math.max(1, Math.round(stack.count / NS_PER_LOOK)) }));
}

/** Where its slow calls and its syncs took the time: in pieces as long as a slow call is by default. */
function ioOf(report: RegressionReport, arm: Arm, options: ReportPageOptions): readonly StackCount[] {
  const stacks = summed(options.store.times('io', queryOf(report, arm, options)), warmUpOf(report, options));
  return stacks.map((stack) => ({
    ...stack,
    count: Math.max(1, Math.round(stack.count / NS_PER_SLOW_CALL)),
  }));
}

export function queryOf(report: RegressionReport, arm: Arm, { store, now }: ReportPageOptions) {
  const { metadata, status } = report;
  return {
    pods: unionOf(store.rememberedPods(metadata.uid, arm), refsIn(report, arm)),
    fromMs: Date.parse(status?.startedAt ?? metadata.creationTimestamp),
    toMs: status?.decidedAt === undefined ? now() : Date.parse(status.decidedAt),
  };
}

export function warmUpOf({ metadata, spec }: RegressionReport, { view }: ReportPageOptions): number {
  const gate = view.gates(metadata.namespace).find((one) => one.metadata.name === spec.gate);
  return gate === undefined ? 0 : parseDurationMs(gate.spec.duration.warmUp);
}

interface Counted {
  readonly startMs: number;
  readonly podStartedAtMs: number;
  readonly stacks: Iterable<StackCount>;
}

function summed(windows: readonly Counted[], warmUpMs: number): readonly StackCount[] {
  const counts = new Map<readonly string[], { -readonly [Field in keyof StackCount]: StackCount[Field] }>();
  for (const window of windows) {
    if (window.startMs < window.podStartedAtMs + warmUpMs) continue;
    for (const stack of window.stacks) {
      const key = stack.places ?? stack.frames; // equal ones are one array in the store
      const seen = counts.get(key);
      if (seen === undefined) counts.set(key, { ...stack });
      else seen.count += stack.count;
    }
  }
  return [...counts.values()];
}
