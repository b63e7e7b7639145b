/** The gates of a namespace and their history, as a page that runs no script. Pure. */
import { formatDuration } from '../../crds/quantities.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { DIFF_PAGE_STYLE, DIFF_PAGE_STYLE_HASH } from '../../profile/diff-page-assets.ts';
import { escapeHtml } from '../../profile/html.ts';
import { toneOf } from '../../profile/interval-chart.ts';
import { pageFile } from '../../profile/page-file.ts';
import { reportPagePath } from '../../wire/endpoints.ts';

export interface GatesPageInput {
  readonly namespace: string;
  readonly gates: readonly RegressionGate[];
  readonly reports: readonly RegressionReport[];
}

export function renderGatesPage({ namespace, gates, reports }: GatesPageInput): string {
  const ofGate = Map.groupBy(reports, ({ spec }) => spec.gate);
  const sections = gates
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((gate) => gateSection(gate, ofGate.get(gate.metadata.name) ?? []));
  const title = `Gates of ${namespace}`;
  const none = `<p class="sentence">There is no RegressionGate in this namespace.</p>`;
  return pageFile({
    title,
    body: `<header><h1>${escapeHtml(title)}</h1></header><main class="gates">${sections.length === 0 ? none : sections.join('')}</main>`,
    style: DIFF_PAGE_STYLE,
    policy: { style: DIFF_PAGE_STYLE_HASH },
  });
}

function gateSection(
  { metadata, status = {} }: RegressionGate,
  reports: readonly RegressionReport[],
): string {
  const verdict = status.verdict ?? 'Waiting';
  const facts = [
    ['Target', status.target],
    ['Latency', status.latencyDelta],
    ['CPU', status.cpuDelta],
    ['Worst', status.worst],
  ].flatMap(([label, value]) =>
    value === undefined || label === undefined
      ? []
      : [`<div><dt>${label}</dt><dd>${escapeHtml(value)}</dd></div>`],
  );
  const rows = reports.toSorted((a, b) => beganMs(b) - beganMs(a)).map(historyRow);
  const history =
    rows.length === 0
      ? `<p class="note">No evaluation yet.</p>`
      : `<div class="wide" tabindex="0" role="region" aria-label="Evaluations of ${escapeHtml(metadata.name)}"><table class="plain"><thead><tr>${['Verdict', 'Canary', 'Baseline', 'Began', 'Took', 'Why'].map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
  return `<section class="gate"><div class="heading"><span class="badge ${toneOf(verdict)}">${escapeHtml(verdict)}</span><h2>${escapeHtml(metadata.name)}</h2></div>
<p class="sentence">${escapeHtml(status.summary ?? 'Nothing was compared yet.')}</p>${facts.length === 0 ? '' : `<dl class="facts">${facts.join('')}</dl>`}
<h3>History</h3>${history}</section>`;
}

const beganMs = ({ metadata, status }: RegressionReport): number =>
  Date.parse(status?.startedAt ?? metadata.creationTimestamp);

function historyRow(report: RegressionReport): string {
  const { metadata, spec, status = {} } = report;
  const verdict = status.verdict ?? 'Collecting';
  const began = new Date(beganMs(report)).toISOString().replace('T', ' ').slice(0, 19);
  const took =
    status.decidedAt === undefined ? '' : formatDuration(Date.parse(status.decidedAt) - beganMs(report));
  const href = `${reportPagePath(metadata.namespace, metadata.name)}?nav=1`;
  return `<tr><td><span class="badge ${toneOf(verdict)}">${escapeHtml(verdict)}</span></td><td><a href="${escapeHtml(href)}">${escapeHtml(spec.canaryHash)}, attempt ${spec.attempt}</a></td>
<td>${escapeHtml(spec.baselineHash)}</td><td>${began}</td><td>${took}</td><td class="why"><span>${escapeHtml(status.message ?? '')}</span></td></tr>`;
}
