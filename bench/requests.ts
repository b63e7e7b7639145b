/**
 * What watching requests costs and how exact it is: bench/results/requests.json, written anew with each part.
 * PARTS=kernel,switch,cpu,netty-nio,…: only these. SECONDS=5 of load for each of the kernel's figures, EXACT_SECONDS=20 for each
 * server against a capture (tcpdump), CPU_ROUNDS=18 of three turns of CPU_SECONDS=3.
 */
import type { JavaPeer } from '../src/native/testing/peers.ts';
import { switchCost } from './off-cpu/switch-cost.ts';
import { exactnessOf, inAppTimerOf } from './requests/compared.ts';
import { emptyCpuPerRequest, ordersCpuPerRequest } from './requests/cpu-per-request.ts';
import { tellRequests } from './requests/exactness.ts';
import { kernelCost } from './requests/kernel-cost.ts';
import { type Parts, writeParts } from './requests/result.ts';
import { STACKS } from './requests/stacks.ts';
import { userSpaceCost } from './requests/user-space-cost.ts';

const knob = (name: string, usual: number) => Number(process.env[name] ?? usual);
const SECONDS = knob('SECONDS', 5);
const EXACT_SECONDS = knob('EXACT_SECONDS', 20);
const CPU = { rounds: knob('CPU_ROUNDS', 18), seconds: knob('CPU_SECONDS', 3), warmSeconds: 20 };

const PARTS: Readonly<Record<string, () => Promise<Parts>>> = {
  kernel: async () => ({ kernel: await kernelCost(SECONDS), userSpaceNsPerExchange: userSpaceCost() }),
  switch: async () => ({ foreignSwitchNs: (await switchCost()).foreign.nsPerSwitch }),
  ...Object.fromEntries(
    (Object.keys(STACKS) as JavaPeer[]).map((peer) => [peer, () => exactness(peer)] as const),
  ),
  cpu: async () => ({ cpuPerRequest: [await ordersCpuPerRequest(CPU), await emptyCpuPerRequest(CPU)] }),
};

async function exactness(peer: JavaPeer): Promise<Parts> {
  const told = await tellRequests(peer, EXACT_SECONDS);
  const timer = inAppTimerOf(told);
  return { routes: exactnessOf(told), ...(timer ? { inAppTimer: [timer] } : {}) };
}

const wanted = process.env['PARTS']?.split(',') ?? Object.keys(PARTS);
for (const name of wanted) {
  const part = PARTS[name];
  if (part === undefined) throw new RangeError(`no part is called ${name}: ${Object.keys(PARTS).join(', ')}`);
  const begun = performance.now();
  const measured = await part();
  console.log(`${name}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  const { routes, ...rest } = measured;
  if (routes) console.table(routes);
  if (Object.keys(rest).length > 0) console.log(JSON.stringify(rest, null, 2));
  console.log(writeParts(measured));
}
