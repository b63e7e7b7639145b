/** evaluations.json of a recording: the gates and reports of its namespace as the API server had them. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegressionGate } from '../crds/regression-gate.ts';
import type { RegressionReport } from '../crds/regression-report.ts';
import { API_VERSION } from '../crds/schema.ts';
import { parseRegressionGate, parseRegressionReport } from '../crds/validators.ts';
import { type KubeClient, pathOf } from '../kube/client.ts';
import { CliError } from './cli-error.ts';
import { reasonOf } from './files.ts';
import type { KeptEvaluations } from './past-evaluations.ts';

const FILE = 'evaluations.json';
const VERSION = 1;

/** What the cluster has now. */
export async function readEvaluations(client: KubeClient, namespace: string): Promise<KeptEvaluations> {
  const list = async (plural: string): Promise<readonly unknown[]> => {
    const path = pathOf({ apiVersion: API_VERSION, plural, namespace });
    return (await client.request<{ readonly items: readonly unknown[] }>('GET', path)).items;
  };
  const gates = (await list('regressiongates')).map(parseRegressionGate);
  const reports = (await list('regressionreports')).map(parseRegressionReport);
  return { gates, reports: inOrder(reports) };
}

/** Reports that a gate has dropped since stay; of the others the newer one counts. */
export function mergeEvaluations(before: KeptEvaluations, now: KeptEvaluations): KeptEvaluations {
  return {
    gates: newest<RegressionGate>([...before.gates, ...now.gates]),
    reports: inOrder(newest<RegressionReport>([...before.reports, ...now.reports])),
  };
}

const newest = <T extends { readonly metadata: { readonly uid: string } }>(objects: readonly T[]): T[] => [
  ...new Map(objects.map((object) => [object.metadata.uid, object])).values(),
];

const inOrder = (reports: readonly RegressionReport[]): RegressionReport[] =>
  reports.toSorted((a, b) => startOf(a).localeCompare(startOf(b)) || a.spec.attempt - b.spec.attempt);

const startOf = ({ status, metadata }: RegressionReport): string =>
  new Date(status?.startedAt ?? metadata.creationTimestamp).toISOString();

export async function writeEvaluations(directory: string, kept: KeptEvaluations): Promise<void> {
  const path = join(directory, FILE);
  await writeFile(`${path}.new`, `${JSON.stringify({ version: VERSION, ...kept }, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/** Undefined when the recording has none. Throws RECORDING_INVALID. */
export async function readKeptEvaluations(directory: string): Promise<KeptEvaluations | undefined> {
  const path = join(directory, FILE);
  try {
    const { version, gates, reports } = JSON.parse(await readFile(path, 'utf8'));
    if (version !== VERSION || !Array.isArray(gates) || !Array.isArray(reports)) {
      throw new Error(`not the evaluations of a recording of version ${VERSION}`);
    }
    return { gates: gates.map(parseRegressionGate), reports: inOrder(reports.map(parseRegressionReport)) };
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new CliError('RECORDING_INVALID', `${path}: ${reasonOf(cause)}`, cause);
  }
}
