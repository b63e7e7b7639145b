/** `flamegate report`: one RegressionReport for the terminal, and its diff flame graph for the browser. */
import { API_VERSION } from '../crds/schema.ts';
import { parseRegressionReport } from '../crds/validators.ts';
import { kubeClient } from '../kube/client.ts';
import { reportPagePath } from '../wire/endpoints.ts';
import { CliError } from './cli-error.ts';
import { clusterConfig } from './cluster-config.ts';
import type { Command } from './command-line.ts';
import { openController } from './controller-connection.ts';
import { writeText } from './files.ts';
import { renderReport } from './report-text.ts';

const MAX_PAGE_BYTES = 64 * 1024 * 1024;

export async function runReport(
  command: Extract<Command, { kind: 'report' }>,
  options: { readonly useColour: boolean },
): Promise<string> {
  const { namespace, name } = command.report;
  const config = clusterConfig(command.cluster);
  if (command.output !== undefined) {
    const controller = await openController(config, command.cluster);
    const page = await controller.get(reportPagePath(namespace, name), MAX_PAGE_BYTES);
    await writeText(command.output, page.toString('utf8'));
    const hint = command.raw ? ` (as ${command.output}#raw it begins with stacks as they were sampled)` : '';
    return `wrote ${command.output}${hint}\n`;
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
  return renderReport(parseRegressionReport(stored), { ...options, isRaw: command.raw });
}
