/** The gates of a namespace, or of several, and their history, as a page that runs no script. Pure. */
import { formatDuration } from '../../crds/quantities.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { DIFF_PAGE_STYLE, DIFF_PAGE_STYLE_HASH } from '../../profile/diff-page-assets.ts';
import { escapeHtml } from '../../profile/html.ts';
import { toneOf } from '../../profile/interval-chart.ts';
import { pageFile } from '../../profile/page-file.ts';
import { ALL_GATES_PAGE_PATH, gatesPagePath, reportPagePath } from '../../wire/endpoints.ts';

export interface GatesPageInput {
  readonly namespace: string;
  readonly gates: readonly RegressionGate[];
  readonly reports: readonly RegressionReport[];
}

export interface AllGatesPageInput {
  readonly namespaces: readonly GatesPageInput[];
  /** There are more than were looked at. */
  readonly isCut: boolean;
}

/** As many evaluations of a gate as a page of many has room for; that of its namespace has them all. */
const LATEST = 5;

export function renderGatesPage(input: GatesPageInput): string {
  const title = `Gates of ${input.namespace}`;
  const sections = gateSections(input, Number.POSITIVE_INFINITY);
  const none = `<p class="sentence">There is no RegressionGate in this namespace.</p>`;
  const nav = `<nav aria-label="Other pages"><a href="${ALL_GATES_PAGE_PATH}">Gates of all namespaces</a></nav>`;
  return gatesFile(
    title,
    `${nav}<h1>${escapeHtml(title)}</h1>`,
    sections.length === 0 ? none : sections.join(''),
  );
}

export function renderAllGatesPage({ namespaces, isCut }: AllGatesPageInput): string {
  const title = 'Gates of all namespaces';
  const note = `<p class="note">Of those that you may read.${isCut ? ' There are too many to ask for each: name one in the address for the others.' : ''}</p>`;
  const none = `<p class="sentence">There is no RegressionGate.</p>`;
  const sections = namespaces.map((input) => {
    const { namespace } = input;
    const href = escapeHtml(gatesPagePath(namespace));
    return `<section class="namespace"><h2><a href="${href}">${escapeHtml(namespace)}</a></h2>${gateSections(input, LATEST).join('')}</section>`;
  });
  return gatesFile(title, `<h1>${title}</h1>${note}`, sections.length === 0 ? none : sections.join(''));
}

const gatesFile = (title: string, header: string, main: string): string =>
  pageFile({
    title,
    body: `<header>${header}</header><main class="gates">${main}</main>`,
    style: DIFF_PAGE_STYLE,
    policy: { style: DIFF_PAGE_STYLE_HASH },
  });

function gateSections({ gates, reports }: GatesPageInput, latest: number): readonly string[] {
  const ofGate = Map.groupBy(reports, ({ spec }) => spec.gate);
  return gates
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((gate) => gateSection(gate, ofGate.get(gate.metadata.name) ?? [], latest));
}

function gateSection(
  { metadata, status = {} }: RegressionGate,
  reports: readonly RegressionReport[],
  latest: number,
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
  const rows = reports
    .toSorted((a, b) => beganMs(b) - beganMs(a))
    .slice(0, latest)
    .map(historyRow);
  const more = reports.length > latest ? `<p class="note">and ${reports.length - latest} before</p>` : '';
  const history =
    rows.length === 0
      ? `<p class="note">No evaluation yet.</p>`
      : `<div class="wide" tabindex="0" role="region" aria-label="Evaluations of ${escapeHtml(metadata.name)}"><table class="plain"><thead><tr>${['Verdict', 'Canary', 'Baseline', 'Began', 'Took', 'Why'].map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
  return `<section class="gate"><div class="heading"><span class="badge ${toneOf(verdict)}">${escapeHtml(verdict)}</span><h2>${escapeHtml(metadata.name)}</h2></div>
<p class="sentence">${escapeHtml(status.summary ?? 'Nothing was compared yet.')}</p>${facts.length === 0 ? '' : `<dl class="facts">${facts.join('')}</dl>`}
<h3>History</h3>${history}${more}</section>`;
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
