/** What agents said of the JVMs in a Deployment's pods, as far as it decides where flags may go. Pure. */
import type { V1Container, V1Deployment, V1Pod } from '@kubernetes/client-node';
import { selects } from '../../kube/label-selector.ts';
import type { JvmState, PodWindow } from '../../wire/batch-schema.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import { containersOf, envOf, FLAG_VARIABLES, type FlagVariable } from './flag-variables.ts';
import { livePods } from './gather.ts';

export interface JvmEvidence {
  /** One pod with a JVM is enough; one without is not. */
  readonly jvm: 'Jvm' | 'NoJvm' | 'Unknown';
  /** 8, 17, 25; undefined while unknown. */
  readonly jdk?: number;
  /** Whether a variable comes from the image; missing while that is unknown. One pod that has it from there is enough. */
  readonly imageSets: Readonly<Partial<Record<FlagVariable, boolean>>>;
}

export interface EvidenceFrom {
  readonly view: Pick<ClusterView, 'pods' | 'replicaSets'>;
  readonly reports: Pick<AgentReports, 'container'>;
}

const STATES_OF_A_JVM: ReadonlySet<JvmState> = new Set<JvmState>(['Profiled', 'Partial', 'AttachFailed']);

interface Seen {
  readonly jvm: PodWindow['jvm'];
  /** The container in the template that the pod was made from; undefined when its ReplicaSet is not known. */
  readonly madeFrom: V1Container | undefined;
  /** The container of the pod itself: it may have been given variables at its creation. */
  readonly own: V1Container | undefined;
}

/** What pods tell of a container, whatever their images are. */
export function evidenceOfPods(
  reports: EvidenceFrom['reports'],
  pods: readonly V1Pod[],
  container: string,
): JvmEvidence {
  const seen = pods.flatMap((pod): readonly Seen[] => {
    const jvm = reports.container(pod.metadata?.uid ?? '', container)?.window.jvm;
    const own = ownContainer(pod, container);
    return jvm === undefined ? [] : [{ jvm, madeFrom: own, own }];
  });
  return { ...jvmIn(seen), imageSets: imageSetsOf(seen) };
}

const ownContainer = ({ spec }: V1Pod, container: string): V1Container | undefined =>
  spec?.containers.find(({ name }) => name === container);

export function evidenceOf(
  { view, reports }: EvidenceFrom,
  deployment: V1Deployment,
): (container: string) => JvmEvidence {
  const namespace = deployment.metadata?.namespace ?? '';
  const pods = livePods(view, namespace).filter((pod) =>
    selects(deployment.spec?.selector, pod.metadata?.labels),
  );
  const templates = new Map(
    view.replicaSets(namespace).map(({ metadata, spec }) => [metadata?.uid, spec?.template]),
  );
  return (container) => {
    const seen = pods.flatMap((pod): readonly Seen[] => {
      const jvm = reports.container(pod.metadata?.uid ?? '', container)?.window.jvm;
      const madeFrom = templates
        .get(controllerUid(pod))
        ?.spec?.containers.find(({ name }) => name === container);
      return jvm === undefined ? [] : [{ jvm, madeFrom, own: ownContainer(pod, container) }];
    });
    const image = containersOf(deployment).find(({ name }) => name === container)?.image;
    const ofImage = seen.map((one) =>
      one.madeFrom?.image === image ? one : { ...one, madeFrom: undefined },
    );
    return { ...jvmIn(seen), imageSets: imageSetsOf(ofImage) };
  };
}

const controllerUid = ({ metadata }: V1Pod): string | undefined =>
  metadata?.ownerReferences?.find(({ controller }) => controller === true)?.uid;

function jvmIn(seen: readonly Seen[]): Pick<JvmEvidence, 'jvm' | 'jdk'> {
  const jdk = seen.map(({ jvm }) => jdkMajor(jvm.jdk)).find((major) => major !== undefined);
  const runsJvm = jdk !== undefined || seen.some(({ jvm }) => STATES_OF_A_JVM.has(jvm.state));
  if (runsJvm) {
    return { jvm: 'Jvm', ...(jdk === undefined ? {} : { jdk }) };
  }
  return { jvm: seen.some(({ jvm }) => jvm.state === 'NoJvm') ? 'NoJvm' : 'Unknown' };
}

/** 8 of "1.8.0_412" and "8u412", 17 of "17.0.15+6"; undefined of anything else. */
function jdkMajor(version: string): number | undefined {
  const match = /^(?:1\.)?(\d{1,3})/.exec(version);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function imageSetsOf(seen: readonly Seen[]): JvmEvidence['imageSets'] {
  const told = FLAG_VARIABLES.map((variable) => {
    const words = seen.map((one) => comesFromImage(variable, one)).filter((word) => word !== undefined);
    return [variable, words.length === 0 ? undefined : words.includes(true)] as const;
  });
  return Object.fromEntries(told.filter(([, sets]) => sets !== undefined));
}

/**
 * A JVM                                           → says of a variable
 * made from a template with another image         → nothing: that image may differ
 * made from a template that sets it, as with ours → nothing: what the image has is hidden
 * whose pod sets it, given at its creation        → nothing, likewise
 * whose environment could not be read             → nothing
 * that has it, and whose template uses envFrom    → nothing: it may come from there
 * that has it                                     → the image sets it, or the image's entrypoint
 * that has it not                                 → the image does not
 */
function comesFromImage(
  variable: FlagVariable,
  { jvm: { environment }, madeFrom, own }: Seen,
): boolean | undefined {
  const isSet = envOf(madeFrom, variable) !== undefined || envOf(own, variable) !== undefined;
  if (madeFrom === undefined || isSet) return undefined;
  if (environment?.includes(variable) === true && (madeFrom.envFrom?.length ?? 0) > 0) {
    return undefined;
  }
  return environment?.includes(variable);
}
