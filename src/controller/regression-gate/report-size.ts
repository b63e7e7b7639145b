/** Keeps a report small: it lives in etcd, beside up to fifty of its kind for each gate. Pure. */
import type { RegressionReportStatus } from '../../crds/regression-report.ts';

/** etcd takes 1.5 MB an object and a watcher every one of them again. */
export const MOST_BYTES = 64 * 1_024;
const SHORTEST_STACK = 4;

const bytesOf = (status: RegressionReportStatus): number => Buffer.byteLength(JSON.stringify(status));

/** Cuts stacks, of all culprits alike, then leaves culprits out, the last ones first; says so in `folded`. */
export function boundedStatus(status: RegressionReportStatus): RegressionReportStatus {
  const { culprits = [] } = status;
  let bounded = status;
  for (let frames = longestStack(status); bytesOf(bounded) > MOST_BYTES && frames > SHORTEST_STACK; ) {
    frames = Math.max(SHORTEST_STACK, Math.floor(frames / 2));
    const kept = culprits.map((culprit) => ({ ...culprit, stack: culprit.stack.slice(0, frames) }));
    bounded = { ...status, culprits: kept, folded: [`stacks end after ${frames} frames`] };
  }
  for (let left = culprits.length - 1; bytesOf(bounded) > MOST_BYTES && left >= 0; left--) {
    const folded = [`${culprits.length - left} of ${culprits.length} functions that grew are not listed`];
    bounded = { ...bounded, culprits: (bounded.culprits ?? []).slice(0, left), folded };
  }
  return bounded;
}

const longestStack = ({ culprits = [] }: RegressionReportStatus): number =>
  culprits.reduce((longest, { stack }) => Math.max(longest, stack.length), 0);
