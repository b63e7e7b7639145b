/** What was taken of targets, by the containers they belong to. */
import { LONGEST_MESSAGE, LONGEST_REASON } from '../profile/waiting-window.ts';
import type { WatchFailure } from './target-watch.ts';
import type { TrackedContainer } from './tracked-container.ts';

/** What was taken of a container. */
export interface Dealt<Row, Target> {
  readonly container: TrackedContainer;
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
}

/** Deals rows and targets to those containers that are asked about; what belongs to none is left out. */
export function dealTargets<Row extends { readonly target: bigint }, Target extends { readonly id: bigint }>(
  batch: { readonly rows: readonly Row[]; readonly targets: readonly Target[] } | undefined,
  containers: readonly TrackedContainer[],
): readonly Dealt<Row, Target>[] {
  const byTarget = new Map<bigint, { rows: Row[]; targets: Target[] }>();
  const dealt = containers.map((container) => {
    const own = { container, rows: [] as Row[], targets: [] as Target[] };
    for (const id of container.windowTargets) byTarget.set(id, own);
    return own;
  });
  for (const row of batch?.rows ?? []) byTarget.get(row.target)?.rows.push(row);
  for (const target of batch?.targets ?? []) byTarget.get(target.id)?.targets.push(target);
  return dealt;
}

export function seenUnless(failure: WatchFailure | undefined): {
  readonly state: 'Seen' | 'Unsupported';
  readonly reason: string;
  readonly message: string;
} {
  if (!failure) return { state: 'Seen', reason: '', message: '' };
  return {
    state: 'Unsupported',
    reason: failure.code.slice(0, LONGEST_REASON),
    message: failure.message.slice(0, LONGEST_MESSAGE),
  };
}
