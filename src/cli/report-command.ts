/** `flamegate report`: one RegressionReport for the terminal, and its page, or what CI shows of it. */
import { stringify } from 'yaml';
import type { RegressionReport } from '../crds/regression-report.ts';
import { API_VERSION } from '../crds/schema.ts';
import { parseRegressionReport } from '../crds/validators.ts';
import { kubeClient } from '../kube/client.ts';
import { reportPagePath, slowRequestsPath } from '../wire/endpoints.ts';
import { CliError } from './cli-error.ts';
import { clusterConfig } from './cluster-config.ts';
import type { Command } from './command.ts';
import { type CommitsOfReport, commitsOfReport } from './commits/culprit-commits.ts';
import { openController } from './controller-connection.ts';
import { writeText } from './files.ts';
import { reportJunit } from './report-junit.ts';
import { reportMarkdown } from './report-markdown.ts';
import { renderReport } from './report-text.ts';
import { visible } from './visible.ts';

type ReportCommand = Extract<Command, { kind: 'report' }>;

const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_PAGE_BYTES = 64 * 1024 * 1024;

function pagePathOf({ report: { namespace, name }, slow, route }: ReportCommand): string {
  if (slow === undefined) return reportPagePath(namespace, name);
  const query = new URLSearchParams({ arm: slow, ...(route !== undefined && { route }) });
  return `${slowRequestsPath(namespace, name, 'page')}?${query}`;
}

export async function runReport(
  command: ReportCommand,
  options: { readonly useColour: boolean; readonly columns: number },
): Promise<string> {
  const { namespace, name } = command.report;
  const config = clusterConfig(command.cluster);
  if (command.output !== undefined && command.format === 'text') {
    const controller = await openController(config, command.cluster);
    const page = await controller.get(pagePathOf(command), MAX_PAGE_BYTES);
    await writeText(command.output, page.toString('utf8'));
    const hint = command.raw
      ? ` (as ${command.output}#stacks=raw it begins with stacks as they were sampled)`
      : '';
    return `wrote ${command.output}${hint}\n`;
  }
  if (command.slow !== undefined) {
    const controller = await openController(config, command.cluster);
    const query = `?arm=${command.slow}${command.raw ? '&raw=1' : ''}`;
    const text = await controller.get(`${slowRequestsPath(namespace, name, 'text')}${query}`, MAX_TEXT_BYTES);
    return text.toString('utf8').split('\n').map(visible).join('\n');
  }
  const stored = await kubeClient(config).get({
    apiVersion: API_VERSION,
    plural: 'regressionreports',
    namespace,
    name,
  });
  if (stored === undefined) {
    const hint = `kubectl get regressionreports -n ${namespace}`;
    throw new CliError(
      'REPORT_NOT_FOUND',
      `no RegressionReport ${name} in namespace ${namespace}; see ${hint}`,
    );
  }
  const report = parseRegressionReport(stored);
  const commits = command.clone && (await commitsOfReport(report, command.clone));
  const text = formOf(report, command, { ...options, commits });
  if (command.output === undefined) return text;
  await writeText(command.output, text);
  return `wrote ${command.output}\n`;
}

function formOf(
  report: RegressionReport,
  { format, raw }: ReportCommand,
  options: {
    readonly useColour: boolean;
    readonly columns: number;
    readonly commits: CommitsOfReport | undefined;
  },
): string {
  const { commits } = options;
  const said = commits === undefined ? report : { ...report, commits };
  switch (format) {
    case 'text':
      return renderReport(report, { ...options, isRaw: raw });
    case 'json':
      return `${JSON.stringify(said, null, 2)}\n`;
    case 'yaml':
      return stringify(said);
    case 'markdown':
      return reportMarkdown(report, commits);
    case 'junit':
      return reportJunit(report);
  }
}
