/** bench/results/requests.json, of which one part at a time can be measured anew: the others stay as they were measured. */
import { readFileSync } from 'node:fs';
import type { JavaPeer } from '../../src/native/testing/peers.ts';
import { writeResult } from '../machine.ts';
import type { InAppTimer, RouteExactness } from './compared.ts';
import type { CpuPerRequest } from './cpu-per-request.ts';
import { type KernelCost, nsPerRunOf } from './kernel-cost.ts';
import { STACKS } from './stacks.ts';
import type { UserSpaceCost } from './user-space-cost.ts';

export interface Parts {
  readonly routes?: readonly RouteExactness[];
  readonly inAppTimer?: readonly InAppTimer[];
  readonly kernel?: KernelCost;
  readonly userSpaceNsPerExchange?: UserSpaceCost;
  readonly foreignSwitchNs?: number;
  readonly cpuPerRequest?: readonly CpuPerRequest[];
}

const PATH = new URL('../results/requests.json', import.meta.url);

/** Returns where it is written. */
export function writeParts(parts: Parts): string {
  const before = readParts();
  const { kernel, userSpaceNsPerExchange, foreignSwitchNs, ...rest } = { ...before, ...parts };
  const stacks = Object.keys(STACKS) as JavaPeer[];
  const routes = ofEach(stacks, ({ stack }) => stack, before.routes, rest.routes);
  const inAppTimer = ofEach(stacks, ({ stack }) => stack, before.inAppTimer, rest.inAppTimer);
  const cpuPerRequest = ofEach(
    ['orders', 'netty-nio'],
    ({ service }) => service,
    before.cpuPerRequest,
    rest.cpuPerRequest,
  );
  const orders = cpuPerRequest.find(({ service }) => service === 'orders');
  return writeResult('requests', 'make bench-requests', '21', {
    noise: { cpuPerRequestRatio: orders?.noise.value ?? null },
    routes,
    inAppTimer,
    ...ofKernel(kernel),
    foreignSwitchNs: foreignSwitchNs ?? null,
    cpuPerRequestRatio: orders?.ratio.value ?? null,
    cpuPerRequest,
    kernel: kernel ?? null,
    userSpaceNsPerExchange: userSpaceNsPerExchange ?? null,
  });
}

/** By the hooks that are used where the kernel has them. */
function ofKernel(kernel: KernelCost | undefined) {
  const sockets = kernel?.sockets;
  return {
    kernelMicrosPerRequest: sockets ? sockets.watched.nsPerRequest / 1000 : null,
    foreignSocketCallNs: sockets ? nsPerRunOf(sockets.others, ['on_received', 'on_sent']) : null,
    foreignOtherCallNs: sockets ? sockets.otherCalls.nsPerRequest : null,
    nothingWatchedNs: sockets ? sockets.nothingWatched.nsPerRequest : null,
  };
}

/** Those measured now, and of the others those of before. */
function ofEach<T>(
  names: readonly string[],
  nameOf: (one: T) => string,
  before: readonly T[] = [],
  now: readonly T[] = [],
): readonly T[] {
  return names.flatMap((name) => {
    const anew = now.filter((one) => nameOf(one) === name);
    return anew.length > 0 ? anew : before.filter((one) => nameOf(one) === name);
  });
}

function readParts(): Parts {
  try {
    return JSON.parse(readFileSync(PATH, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}
