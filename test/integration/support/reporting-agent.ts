/** What agents would say of the JVMs in pods that no kubelet runs: recorded over and over, as real ones repeat themselves. */
import type { V1Pod } from '@kubernetes/client-node';
import type { AgentReports } from '../../../src/controller/agent-reports.ts';
import type { ClusterView } from '../../../src/controller/cluster-view.ts';
import { aBatch, aPodWindow } from '../../../src/store/testing/a-batch.ts';
import type { OptionVariable, PodWindow } from '../../../src/wire/batch-schema.ts';

/** What each image sets by itself. Of pods with other images no agent speaks. */
const IMAGE_SETS: Readonly<Record<string, readonly OptionVariable[]>> = {
  'localhost/sets-neither:1': [],
  'localhost/sets-tool-options:1': ['JAVA_TOOL_OPTIONS'],
  'localhost/sets-both:1': ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS'],
};
const VARIABLES: readonly OptionVariable[] = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS'];
const EVERY_MS = 300;

export interface ReportingAgent {
  readonly view: Pick<ClusterView, 'pods'>;
  readonly reports: AgentReports;
  readonly namespaces: readonly string[];
}

export function startReportingAgent({ view, reports, namespaces }: ReportingAgent): { stop(): void } {
  let sequence = 0;
  const timer = setInterval(() => {
    const pods = namespaces.flatMap((namespace) => view.pods(namespace)).flatMap(windowsOf);
    const nowMs = Date.now();
    reports.record(aBatch({ sequence: sequence++, startMs: nowMs - 10_000, endMs: nowMs, pods }), nowMs);
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

function windowsOf({ metadata, spec }: V1Pod): readonly PodWindow[] {
  const { name = '', namespace = '', uid = '' } = metadata ?? {};
  return (spec?.containers ?? []).flatMap((container) => {
    const ofImage = IMAGE_SETS[container.image ?? ''];
    if (ofImage === undefined) return [];
    const environment = VARIABLES.filter(
      (variable) =>
        ofImage.includes(variable) || container.env?.some((env) => env.name === variable) === true,
    );
    const jvm = { ...aPodWindow().jvm, jdk: '17.0.15', environment };
    return [aPodWindow({ namespace, pod: name, podUid: uid, container: container.name, jvm })];
  });
}
