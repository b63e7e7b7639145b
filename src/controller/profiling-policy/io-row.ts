/** What a row of status.workloads says of reads, writes and syncs: how many, how long, and which functions are slow at it. Pure. */
import type { IoTotalStatus, SlowIo } from '../../crds/io-status.ts';
import type { WorkloadStatus } from '../../crds/workload-status.ts';
import { foldingOf } from '../../profile/folding.ts';
import {
  IO_KINDS,
  type IoFunction,
  type IoKind,
  ioFunctionKey,
  latencyQuantileNs,
} from '../../profile/io-window.ts';
import { isJavaName, isPlatformName } from '../../profile/platform-call.ts';
import type { SelectedContainer } from './gather.ts';

const MAX_FUNCTIONS = 4; // the kind's schema, as what follows
const MAX_FRAMES = 16;
const MAX_NAME = 256;

const KINDS = {
  fileRead: 'FileRead',
  fileWrite: 'FileWrite',
  fileSync: 'FileSync',
  socketReceive: 'SocketReceive',
  socketSend: 'SocketSend',
} as const satisfies Record<IoKind, IoTotalStatus['kind']>;

type Io = NonNullable<NonNullable<SelectedContainer['state']>['window']['io']>;

export function ioOf(
  group: readonly SelectedContainer[],
): Pick<WorkloadStatus, 'io' | 'ioReason' | 'ioMessage' | 'ioTotals' | 'slowIo'> {
  const seen = group.flatMap(({ pod, state }) => {
    const io = state?.window.io;
    return io === undefined ? [] : [{ pod, io }];
  });
  if (seen.length === 0) return {};
  const totals = totalsOf(seen.map(({ io }) => io));
  const slow = slowOf(seen.map(({ io }) => io.functions));
  return {
    ...stateOf(seen),
    ...(totals.length === 0 ? {} : { ioTotals: totals }),
    ...(slow.length === 0 ? {} : { slowIo: slow }),
  };
}

function stateOf(
  seen: readonly { readonly pod: string; readonly io: Io }[],
): Pick<WorkloadStatus, 'io' | 'ioReason' | 'ioMessage'> {
  const blind = seen.find(({ io }) => io.state === 'Unsupported');
  if (blind === undefined) return { io: 'Seen' };
  const { reason, message } = blind.io;
  return {
    io: 'Unsupported',
    ioReason: reason,
    ioMessage: `${blind.pod}: ${message}`.slice(0, MAX_NAME),
  };
}

/** Of each pod's last window. */
function totalsOf(ofPods: readonly Io[]): IoTotalStatus[] {
  return IO_KINDS.flatMap((kind) => {
    const totals = ofPods.flatMap(({ totals: all, windowMs }) =>
      all.filter((total) => total.kind === kind).map((total) => ({ ...total, seconds: windowMs / 1000 })),
    );
    if (totals.length === 0) return [];
    const perSecond = (what: 'calls' | 'failed' | 'bytes') =>
      Math.round(totals.reduce((sum, total) => sum + total[what] / total.seconds, 0));
    const latency = totals.reduce<readonly number[]>(
      (sum, total) => total.latency.map((count, bucket) => count + (sum[bucket] ?? 0)),
      [],
    );
    return [
      {
        kind: KINDS[kind],
        callsPerSecond: perSecond('calls'),
        failedPerSecond: perSecond('failed'),
        bytesPerSecond: perSecond('bytes'),
        p50: durationText(latencyQuantileNs(latency, 0.5)),
        p99: durationText(latencyQuantileNs(latency, 0.99)),
      },
    ];
  });
}

function slowOf(ofPods: readonly (readonly IoFunction[])[]): SlowIo[] {
  const functions = Map.groupBy(ofPods.flat(), ioFunctionKey);
  const sum = (ofPod: readonly IoFunction[]) => ofPod.reduce((all, { ns }) => all + ns, 0);
  const worst = [...functions.values()].toSorted((a, b) => sum(b) - sum(a)).slice(0, MAX_FUNCTIONS);
  return worst.flatMap((ofPod) => {
    const [longest] = ofPod.toSorted((a, b) => b.ns - a.ns);
    if (longest === undefined) return [];
    const { name, stack } = shownOf(longest);
    return [
      {
        function: name,
        call: longest.call.slice(0, MAX_NAME),
        kind: KINDS[longest.kind],
        pods: ofPod.length,
        calls: ofPod.reduce((all, { calls }) => all + calls, 0),
        time: durationText(sum(ofPod)),
        stack,
      },
    ];
  });
}

/** As its author thinks of it: a suspend function goes by its name, not by its continuation's. */
function shownOf({ call, caller, stack }: IoFunction): { readonly name: string; readonly stack: string[] } {
  const counted = { frames: stack, count: 1 };
  const { frames } = foldingOf([counted]).fold(counted);
  const begin = Math.max(0, frames.indexOf(call));
  const below = frames.slice(begin);
  const name = below.find((frame) => isJavaName(frame) && !isPlatformName(frame)) ?? caller;
  return {
    name: name.slice(0, MAX_NAME),
    stack: below.slice(0, MAX_FRAMES).map((frame) => frame.slice(0, MAX_NAME)),
  };
}

/** To three digits: 131us, 2.1ms, 4.29s. */
function durationText(ns: number): string {
  if (ns === Number.POSITIVE_INFINITY) return '>4s';
  const [unit, per] =
    ns < 1e6 ? (['us', 1e3] as const) : ns < 1e9 ? (['ms', 1e6] as const) : (['s', 1e9] as const);
  return `${Number((ns / per).toPrecision(3))}${unit}`;
}
