/** GET of a report's page: one self-contained HTML file, for people with their own token. */
import { parseDurationMs } from '../../crds/quantities.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { type PageLink, renderDiffPage } from '../../profile/diff-page.ts';
import type { Arm, WindowStore } from '../../store/window-store.ts';
import { gatesPagePath } from '../../wire/endpoints.ts';
import type { ClusterView } from '../cluster-view.ts';
import { refsIn, unionOf } from '../regression-gate/members.ts';
import { type LinkTemplates, outsideLinks } from '../report-page/outside-links.ts';
import { reportPageInput } from '../report-page/report-page-input.ts';
import type { ArmData } from '../report-page/report-views.ts';
import type { Authenticator } from './authenticate.ts';
import type { Endpoint } from './batches.ts';
import { Refusal, send } from './refusal.ts';

export interface ReportPageOptions {
  readonly authenticator: Authenticator;
  readonly view: ClusterView;
  readonly store: WindowStore;
  readonly now: () => number;
  /** Where pages lead, as the install's settings say now. */
  readonly links?: () => LinkTemplates;
}

export const REPORT_PAGE_PATTERN = /^\/reports\/v1\/([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})\/flamegraph$/;

/** The page names in itself what it may run; that nothing may frame it can only be said here. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

export function reportPageEndpoint(options: ReportPageOptions): Endpoint {
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
    const [, namespace = '', name = ''] = REPORT_PAGE_PATTERN.exec(pathname) ?? [];
    await options.authenticator.viewer(request, namespace);
    const report = reportAt(options.view, namespace, name);
    // A page that is saved leads nowhere.
    const href = gatesPagePath(namespace);
    const links = searchParams.get('nav') === '1' ? [{ href, text: `All gates of ${namespace}` }] : [];
    send(response, { status: 200, headers: PAGE_HEADERS, body: pageOf(report, links, options) });
  };
}

export function reportAt(view: ClusterView, namespace: string, name: string): RegressionReport {
  const report = view.reports(namespace).find(({ metadata }) => metadata.name === name);
  if (report !== undefined) return report;
  throw new Refusal(404, 'REPORT_NOT_FOUND', `no RegressionReport ${name} in namespace ${namespace}`);
}

function pageOf(report: RegressionReport, own: readonly PageLink[], options: ReportPageOptions): string {
  const arms = { baseline: armOf(report, 'baseline', options), canary: armOf(report, 'canary', options) };
  const nowMs = options.now();
  const rowsOf = ({ served }: ArmData) => served.flatMap(({ rows }) => rows);
  const traced = { baseline: rowsOf(arms.baseline), canary: rowsOf(arms.canary) };
  const links = [...own, ...outsideLinks({ report, templates: options.links?.() ?? {}, traced, nowMs })];
  return renderDiffPage(reportPageInput({ report, arms, links, nowMs }));
}

function armOf(report: RegressionReport, arm: Arm, options: ReportPageOptions): ArmData {
  const { store } = options;
  const query = queryOf(report, arm, options);
  const warmUpMs = warmUpOf(report, options);
  const isWarm = ({ startMs, podStartedAtMs }: { startMs: number; podStartedAtMs: number }) =>
    startMs >= podStartedAtMs + warmUpMs;
  return {
    windows: store.windows(query).filter(isWarm),
    waiting: store.times('waiting', query).filter(isWarm),
    io: store.times('io', query).filter(isWarm),
    served: store.served(query).filter(isWarm),
  };
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
