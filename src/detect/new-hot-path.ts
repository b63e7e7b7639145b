import { callersOf } from './attribution.ts';
import { frameIsMachinery } from './frames.ts';
import { type LookContext, type NodeEvidence, weighNode } from './node-evidence.ts';
import { functionOf, type StackIndex, totalNode } from './stack-index.ts';

/** CPU from which on code that was not there counts as hot, whatever growth of a function is tolerated. */
export const NEW_PATH_SHARE = 0.01;
const ABSENT_PART = 0.1; // of that: what the baseline surely has less of

/**
 * Whether a function's samples are a path that is new and hot: surely above the share in the canary, surely below a tenth of
 * it in the baseline. `share` is of the CPU that shares here are of.
 */
export function isNewAndHot(
  { node, delta, half }: NodeEvidence,
  context: LookContext,
  share: number,
): boolean {
  const { baseline, boundFactor } = context;
  return (
    delta - half > share &&
    upperShare(baseline.counts[node] ?? 0, baseline.samples, boundFactor) < share * ABSENT_PART
  );
}

/** Score bound of a count's mean (Poisson), as a share: not zero where nothing was seen. */
function upperShare(count: number, samples: number, errors: number): number {
  return (count + errors ** 2 / 2 + errors * Math.sqrt(count + errors ** 2 / 4)) / samples;
}

// What a JVM does while it starts or takes code in: loading and linking of classes, agents that are attached.
const NO_PATHS = [
  'java.lang.ClassLoader.',
  'java.lang.invoke.',
  'java.lang.Class.forName',
  'jdk.internal.loader.',
  'java.net.URLClassLoader.',
  'sun.instrument.',
  'java.lang.instrument.',
];

/** Whether it is a path of the service's own: below the dispatcher's frames, no class that loads, and its caller rises with it. */
export function isServicePath(node: number, index: StackIndex, context: LookContext): boolean {
  const name = index.functions[functionOf(node)] ?? '';
  if (frameIsMachinery(name) || NO_PATHS.some((prefix) => name.startsWith(prefix))) return false;
  const callers = callersOf(node, index, context.canary.stackCounts);
  const names = callers.map((caller) => index.functions[caller] ?? '');
  if (names.some((caller) => NO_PATHS.some((prefix) => caller.startsWith(prefix)))) return false;
  const [caller] = callers;
  return caller === undefined || weighNode(totalNode(caller), context).delta > 0;
}
