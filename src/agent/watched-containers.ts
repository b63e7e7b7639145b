/** The containers of the assignment, found on this node. */
import type { AssignedContainer, Assignment, LookedFor } from '../wire/assignment.ts';
import { findContainerCgroups } from './container-cgroups.ts';
import { type ContainerAccess, type TrackedContainer, trackContainer } from './tracked-container.ts';

export interface WatchedContainers {
  all(): readonly TrackedContainer[];
  /** When it looked for the first time at the one that came last; undefined before there is one. */
  readonly newestMetMs: number | undefined;
  /** Follows the assignment; what is no longer in it stays until its window is read. */
  assign(assignment: Assignment): void;
  /** Looks for cgroups that are not found yet, and at what runs in the others. */
  refresh(nowMs: number): Promise<void>;
  /** Gives each container the rate it is assigned, as far as the clock ticks: between windows, so that no window has two. */
  tune(clockHz: number): void;
  /** What the sampler is to watch, and how many samples per second and busy core it is to take. */
  targets(): ReadonlyMap<bigint, number>;
  /** Of which of them it is to look who waits, and for how many milliseconds at least. */
  waits(): ReadonlyMap<bigint, number>;
  /** Of which of them it is to be counted what they read and write, and how many milliseconds a slow call takes at least. */
  io(): ReadonlyMap<bigint, number>;
  /** Those whose samples may belong to requests that are watched. */
  served(): ReadonlySet<bigint>;
  /** After a window was read. */
  beginWindow(): void;
}

export function watchContainers(access: ContainerAccess): WatchedContainers {
  const containers = new Map<string, TrackedContainer>();
  const leaving = new Set<string>();
  let newestMetMs: number | undefined;
  let hasNew = false;
  let baseHz = 1;
  let clockHz = Number.POSITIVE_INFINITY;
  const root = access.roots.v2 ?? access.roots.v1Accounting ?? '';

  const locate = () => {
    const missing = [...containers].filter(([, container]) => container.relative === undefined);
    if (missing.length === 0) return;
    const found = findContainerCgroups(root, new Set(missing.map(([id]) => id)));
    for (const [id, container] of missing) container.relative = found.get(id);
  };
  const asked = (what: (assigned: AssignedContainer) => LookedFor | undefined): ReadonlyMap<bigint, number> =>
    new Map(
      [...containers.values()].flatMap(({ assigned, targets }) => {
        const asks = what(assigned);
        return asks ? Array.from(targets, (id) => [id, asks.leastMs] as const) : [];
      }),
    );
  const rateOf = ({ frequencyHz = baseHz }: AssignedContainer): number => Math.min(clockHz, frequencyHz);
  return {
    all: () => [...containers.values()],
    get newestMetMs() {
      return newestMetMs;
    },
    assign(assignment) {
      baseHz = assignment.frequencyHz;
      const assigned = new Map(assignment.containers.map((each) => [each.containerId, each]));
      for (const [id, each] of assigned) {
        const known = containers.get(id);
        if (known) known.assigned = each;
        else {
          containers.set(id, trackContainer(each, rateOf(each), access));
          hasNew = true;
        }
        leaving.delete(id);
      }
      for (const id of containers.keys()) if (!assigned.has(id)) leaving.add(id);
    },
    async refresh(nowMs) {
      if (hasNew) newestMetMs = nowMs;
      hasNew = false;
      locate();
      for (const container of containers.values()) await container.refresh(nowMs);
    },
    tune(hz) {
      clockHz = hz;
      for (const container of containers.values()) container.frequencyHz = rateOf(container.assigned);
    },
    targets: () =>
      new Map(
        [...containers.values()].flatMap(({ targets, frequencyHz }) =>
          Array.from(targets, (id) => [id, frequencyHz] as const),
        ),
      ),
    waits: () => asked(({ offCpu }) => offCpu),
    io: () => asked(({ io }) => io),
    served: () =>
      new Set(
        [...containers.values()].flatMap(({ assigned, targets }) =>
          assigned.gated && assigned.requests ? [...targets] : [],
        ),
      ),
    beginWindow() {
      for (const id of leaving) {
        containers.get(id)?.close();
        containers.delete(id);
      }
      leaving.clear();
      for (const container of containers.values()) container.beginWindow();
    },
  };
}
