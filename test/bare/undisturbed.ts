/** What one leader would have said that had all windows in one store, and all the time. */
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refsIn } from '../../src/controller/regression-gate/members.ts';
import { reportOf } from '../../src/controller/regression-gate/report-status.ts';
import { runningEvaluations } from '../../src/controller/regression-gate/running-evaluations.ts';
import { gateSettings } from '../../src/crds/gate-settings.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { openStore } from '../../src/store/window-store.ts';
import type { Batch } from '../../src/wire/batch-schema.ts';
import type { BareCluster } from './cluster.ts';

/** To the last character, but for the list of pods, which is no part of what is judged. */
export async function isAsUndisturbed(
  report: RegressionReport,
  cluster: BareCluster,
  batches: readonly Batch[],
): Promise<boolean> {
  const { members: _, ...said } = report.status ?? {};
  return sortedJson(said) === sortedJson(await judgedUndisturbed(report, cluster, batches));
}

/** By one leader that has all windows in one store, as of long after the verdict. */
async function judgedUndisturbed(
  report: RegressionReport,
  cluster: BareCluster,
  batches: readonly Batch[],
): Promise<RegressionReport['status']> {
  using begun = new DisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-undisturbed-'))).path;
  const store = openStore(join(directory, 'windows.sqlite'), { now: Date.now });
  begun.defer(() => store.close());
  for (const batch of batches) store.addBatch(batch);
  const settings = { ...gateSettings((await cluster.gate()).spec), podVarianceFactor: 1 };
  const judgement = await runningEvaluations(store).judge('shop/orders-cpu', {
    ...{ uid: report.metadata.uid, settings },
    startedAtMs: Date.parse(report.status?.startedAt ?? ''),
    pods: { baseline: refsIn(report, 'baseline'), canary: refsIn(report, 'canary') },
    nowMs: Date.now() + 3_600_000,
  });
  return reportOf(report, judgement, Date.now());
}

const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
