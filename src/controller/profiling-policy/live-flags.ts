/** Mode Live: what the agents say became of the flag, per workload and over a whole policy. Pure. */
import type { WorkloadStatus } from '../../crds/workload-status.ts';
import type { FlagsFinding } from './decide.ts';
import type { SelectedContainer } from './gather.ts';

type LiveStatus = NonNullable<WorkloadStatus['live']>;

interface Met {
  readonly pod: string;
  readonly live: NonNullable<NonNullable<SelectedContainer['state']>['window']['jvm']['live']>;
}

const MAX_PODS = 16; // the kind's schema
const NOT_GRANTED = 'LiveNotGranted';

/** Of the pods of a workload; undefined while no agent has said anything. */
export function liveStatusOf(group: readonly SelectedContainer[]): LiveStatus | undefined {
  const met = metOf(group);
  if (met.length === 0) return undefined;
  const set = inState(met, 'Set');
  const last = Math.max(...set.map(({ live }) => live.atMs));
  return {
    set: set.length,
    alreadyOn: inState(met, 'AlreadyOn').length,
    ...(set.length === 0
      ? {}
      : {
          maxAgeMs: Math.max(...set.map(({ live }) => live.ageMs)),
          lastSetTime: new Date(last).toISOString(),
        }),
    tooLate: inState(met, 'TooLate')
      .slice(0, MAX_PODS)
      .map(({ pod }) => pod),
    refused: inState(met, 'Refused')
      .slice(0, MAX_PODS)
      .map(({ pod, live }) => ({ pod, reason: live.reason, message: live.message })),
  };
}

/**
 * The first that holds                    → FlagsInjected
 * an agent is not allowed to              → False   LiveNotGranted
 * a JVM was left as it is                 → False   LiveRefused
 * a JVM was met too late                  → False   MetTooLate
 * no JVM was met, and none is there       → False   NoJvm
 * no JVM was met                          → Unknown WaitingForAgents
 * otherwise                               → True    LiveSet
 */
export function liveFlags(containers: readonly SelectedContainer[]): FlagsFinding {
  const met = metOf(containers);
  const refused = inState(met, 'Refused');
  const late = inState(met, 'TooLate');
  const denied = refused.find(({ live }) => live.reason === NOT_GRANTED);
  const [first] = refused;
  if (denied) return { status: 'False', reason: NOT_GRANTED, message: denied.live.message };
  if (first) {
    const message = `${refused.length} of ${met.length} JVMs were left as they are; ${first.pod}: ${first.live.reason}: ${first.live.message}`;
    return { status: 'False', reason: 'LiveRefused', message };
  }
  if (late.length > 0) {
    const pods = late.slice(0, MAX_PODS).map(({ pod }) => pod);
    const message = `${late.length} of ${met.length} JVMs ran already when they were met, and have the flag after their next start: ${pods.join(', ')}`;
    return { status: 'False', reason: 'MetTooLate', message };
  }
  if (met.length > 0) {
    const ages = inState(met, 'Set').map(({ live }) => live.ageMs);
    const young = ages.length === 0 ? '' : `; set in ${ages.length}, at most ${Math.max(...ages)} ms old`;
    const message = `on in ${met.length} JVMs${young}`;
    return { status: 'True', reason: 'LiveSet', message };
  }
  const states = containers.map(({ state }) => state?.window.jvm.state);
  if (states.length > 0 && states.every((state) => state === 'NoJvm')) {
    return { status: 'False', reason: 'NoJvm', message: 'no selected container runs a JVM' };
  }
  return {
    status: 'Unknown',
    reason: 'WaitingForAgents',
    message: 'no JVM of the selected pods was met yet',
  };
}

const metOf = (containers: readonly SelectedContainer[]): readonly Met[] =>
  containers.flatMap(({ pod, state }) => {
    const live = state?.window.jvm.live;
    return live === undefined ? [] : [{ pod, live }];
  });

const inState = (met: readonly Met[], state: Met['live']['state']): readonly Met[] =>
  met.filter(({ live }) => live.state === state);
