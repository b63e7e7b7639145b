/**
 * Where a report's page leads besides the controller: to the profiles of its arms, and to traces of slow requests, by the templates that
 * the install names. Whatever is put in is encoded, and stands behind the host. Pure.
 */
import type { RegressionReport } from '../../crds/regression-report.ts';
import type { PageLink } from '../../profile/diff-page.ts';
import type { TracedRequest } from '../../requests/served-window.ts';
import type { Arm } from '../../store/window-store.ts';

export interface LinkTemplates {
  readonly profiles?: string;
  readonly traces?: string;
}

/** Of an arm: the rows of its windows' served requests. */
interface TracedRow {
  readonly method: string;
  readonly route: string;
  readonly slowest?: TracedRequest;
}

export interface OutsideLinksInput {
  readonly report: RegressionReport;
  readonly templates: LinkTemplates;
  readonly traced: Readonly<Record<Arm, readonly TracedRow[]>>;
  readonly nowMs: number;
}

const ARMS = ['baseline', 'canary'] as const;
/** As agents push it (src/agent/profile-labels.ts): name, type and unit of what is sampled, and of its period. */
const PROFILE = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
const MOST_TRACES = 3; // of an arm

export const outsideLinks = (input: OutsideLinksInput): readonly PageLink[] => [
  ...ARMS.flatMap((arm) => profileLink(arm, input)),
  ...ARMS.flatMap((arm) => traceLinks(arm, input)),
];

function profileLink(arm: Arm, { report, templates, nowMs }: OutsideLinksInput): readonly PageLink[] {
  const { metadata, spec, status = {} } = report;
  if (templates.profiles === undefined) return [];
  const fromMs = Date.parse(status.startedAt ?? metadata.creationTimestamp);
  const untilMs = status.decidedAt === undefined ? nowMs : Date.parse(status.decidedAt);
  const revisions = spec[`${arm}Hash`].split('.').map(quoted); // of several Deployments one each
  const labels = `namespace="${quoted(metadata.namespace)}",revision=${revisions.length === 1 ? `"${revisions[0]}"` : `~"${revisions.join('|')}"`}`;
  const values = {
    query: `${PROFILE}{${labels}}`,
    ...{ from: seconds(fromMs), until: seconds(untilMs), fromMs: String(fromMs), untilMs: String(untilMs) },
  };
  return [{ href: filled(templates.profiles, values), text: `Profiles of the ${arm}`, isElsewhere: true }];
}

/** They are hashes, names and nothing else; whatever else they were could not leave its quotes. */
const quoted = (text: string): string => text.replaceAll(/["\\\n]/g, (character) => `\\${character}`);

const seconds = (ms: number): string => String(Math.floor(ms / 1_000));

/** The slowest of an arm, one of each route. */
function traceLinks(arm: Arm, { templates, traced }: OutsideLinksInput): readonly PageLink[] {
  const { traces } = templates;
  if (traces === undefined) return [];
  const slowest = new Map<string, TracedRequest>();
  for (const { method, route, slowest: request } of traced[arm]) {
    const name = `${method} ${route}`;
    const known = slowest.get(name);
    if (request && request.latencyNs > (known?.latencyNs ?? 0)) slowest.set(name, request);
  }
  return [...slowest]
    .toSorted(([, a], [, b]) => b.latencyNs - a.latencyNs)
    .slice(0, MOST_TRACES)
    .map(([name, { traceId, latencyNs }]) => ({
      href: filled(traces, { traceId }),
      text: `Trace of ${name}, ${arm}, ${Math.round(latencyNs / 1e6).toLocaleString('en')} ms`,
      isElsewhere: true,
    }));
}

const filled = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\{([A-Za-z]+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? encodeURIComponent(values[name] ?? '') : whole,
  );
