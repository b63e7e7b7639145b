/** Functions and stacks of a report as its reader wants them: folded, or as they were sampled. Pure. */
import type { RegressionReport } from '../crds/regression-report.ts';
import { foldingOf } from '../profile/folding.ts';
import { NOWHERE } from '../profile/place.ts';
import type { StackCount } from '../profile/stack-counts.ts';

export interface ReportNames {
  functionName(name: string): string;
  /** Leaf first, each frame as in a stack trace of the JVM. */
  stack(frames: readonly string[]): readonly string[];
}

const WITH_PLACE = /^(.+) \(([^\s()]+)\)$/; // "shop.Codec.encode (Codec.kt:87)"

export const SAMPLED_NAMES: ReportNames = { functionName: (name) => name, stack: (frames) => frames };

export function foldedNames({ status }: RegressionReport): ReportNames {
  const { fold, nameOf } = foldingOf((status?.culprits ?? []).map(({ stack }) => parsedStack(stack)));
  return {
    functionName: nameOf,
    stack(text) {
      const { frames, places } = fold(parsedStack(text));
      return frames.map((name, depth) => frameText(name, places?.[depth] ?? NOWHERE));
    },
  };
}

function parsedStack(text: readonly string[]): StackCount {
  const parts = text.map((frame) => WITH_PLACE.exec(frame));
  return {
    frames: text.map((frame, depth) => parts[depth]?.[1] ?? frame),
    places: parts.map((part) => part?.[2] ?? NOWHERE),
    count: 1,
  };
}

const frameText = (name: string, place: string): string => (place === NOWHERE ? name : `${name} (${place})`);
