/** What a row of status.workloads says of waiting: whether it is seen, and the calls that block Dispatchers.Default. Pure. */
import type { BlockingCall, WorkloadStatus } from '../../crds/workload-status.ts';
import { foldingOf } from '../../profile/folding.ts';
import { type BlockedCall, blockedCallKey } from '../../profile/waiting-window.ts';
import type { SelectedContainer } from './gather.ts';

const MAX_CALLS = 4; // the kind's schema, as what follows
const MAX_FRAMES = 16;
const MAX_NAME = 256;

export function offCpuOf(
  group: readonly SelectedContainer[],
): Pick<WorkloadStatus, 'offCpu' | 'offCpuReason' | 'offCpuMessage' | 'blocking'> {
  const seen = group.flatMap(({ pod, state }) => {
    const waiting = state?.window.waiting;
    return waiting === undefined ? [] : [{ pod, waiting }];
  });
  if (seen.length === 0) return {};
  const blocking = blockingOf(seen.map(({ waiting }) => waiting.blocked));
  return { ...stateOf(seen), ...(blocking.length === 0 ? {} : { blocking }) };
}

type Waiting = NonNullable<NonNullable<SelectedContainer['state']>['window']['waiting']>;

function stateOf(
  seen: readonly { readonly pod: string; readonly waiting: Waiting }[],
): Pick<WorkloadStatus, 'offCpu' | 'offCpuReason' | 'offCpuMessage'> {
  const blind = seen.find(({ waiting }) => waiting.state === 'Unsupported');
  if (blind === undefined) return { offCpu: 'Seen' };
  const { reason, message } = blind.waiting;
  return {
    offCpu: 'Unsupported',
    offCpuReason: reason,
    offCpuMessage: `${blind.pod}: ${message}`.slice(0, MAX_NAME),
  };
}

/** Without figures: a status that changes with each window would be written as often. */
function blockingOf(ofPods: readonly (readonly BlockedCall[])[]): BlockingCall[] {
  const calls = Map.groupBy(ofPods.flat(), blockedCallKey);
  const sum = (ofPod: readonly BlockedCall[]) => ofPod.reduce((all, { ns }) => all + ns, 0);
  const worst = [...calls.values()].toSorted((a, b) => sum(b) - sum(a)).slice(0, MAX_CALLS);
  return worst.flatMap((ofPod) => {
    const [longest] = ofPod.toSorted((a, b) => b.ns - a.ns);
    return longest === undefined ? [] : [callOf(longest, ofPod.length)];
  });
}

function callOf({ call, caller, reason, stack }: BlockedCall, pods: number): BlockingCall {
  const counted = { frames: stack, count: 1 };
  const { frames } = foldingOf([counted]).fold(counted);
  const begin = Math.max(0, frames.indexOf(call));
  return {
    call: call.slice(0, MAX_NAME),
    caller: caller.slice(0, MAX_NAME),
    reason,
    dispatcher: 'Default',
    pods,
    stack: frames.slice(begin, begin + MAX_FRAMES).map((name) => name.slice(0, MAX_NAME)),
  };
}
