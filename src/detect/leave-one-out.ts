/** A growth weighed again without each pod of the canary, or each node: does it rest on one of them? */

/** What a pod, or the pods of a node, have of what is compared. */
export interface Unit {
  readonly name: string;
  /** Requests, or samples. */
  readonly size: number;
  /** Counted beyond what the baseline would have of so many. */
  readonly excess: number;
  /** Half-width of the growth without it; absent: that of all, wider for how many are left. */
  readonly halfWithout?: number | undefined;
}

export interface Growth {
  readonly effect: number;
  /** Half-width of its interval at a level of one in twenty on each side. */
  readonly half: number;
  readonly margin: number;
}

/** What is left without one of the units. */
export interface LeftOut {
  readonly name: string;
  readonly effect: number;
  readonly half: number;
  /** Whether growth is still proven, at a level of one in twenty, and more than half of what is tolerated. */
  readonly stands: boolean;
  /** Of the excess of all units that have any: what is this one's. */
  readonly partOfExcess: number;
}

const LEAST_PART_OF_MARGIN = 0.5;

/** The effect goes with the excess, and its error with how many are left. */
export function leaveOneOut({ effect, half, margin }: Growth, units: readonly Unit[]): readonly LeftOut[] {
  const all = { size: sum(units, 'size'), excess: sum(units, 'excess') };
  const positive = units.reduce((whole, { excess }) => whole + Math.max(0, excess), 0);
  return units.map(({ name, size, excess, halfWithout }) => {
    const rest = { size: all.size - size, excess: all.excess - excess };
    const left =
      rest.size > 0 && all.excess > 0 ? (effect * (rest.excess / rest.size)) / (all.excess / all.size) : 0;
    const wider =
      rest.size > 0 ? (halfWithout ?? half * Math.sqrt(all.size / rest.size)) : Number.POSITIVE_INFINITY;
    return {
      name,
      effect: left,
      half: wider,
      stands: left - wider > 0 && left >= LEAST_PART_OF_MARGIN * margin,
      partOfExcess: positive > 0 ? Math.max(0, excess) / positive : 0,
    };
  });
}

const sum = (units: readonly Unit[], key: 'size' | 'excess'): number =>
  units.reduce((whole, unit) => whole + unit[key], 0);

const ONE_PART = 0.6;
const LEAST_TO_BLAME_ONE = 3;

/**
 * The one that a growth rests on: without it nothing is left that stands, or it alone carries most of the excess. None where any of
 * them can be missed as little: then all of them are worse, by a little.
 */
export function restsOn(rows: readonly LeftOut[], least = LEAST_TO_BLAME_ONE): LeftOut | undefined {
  if (rows.length < least) return undefined;
  const most = rows.reduce((first, row) => (row.partOfExcess > first.partOfExcess ? row : first));
  if (most.partOfExcess > ONE_PART) return most;
  return !most.stands && rows.some(({ stands }) => stands) ? most : undefined;
}

/** Units put together by what they belong to; those that belong to nothing known are left out. */
export function groupUnits(units: readonly Unit[], groupOf: (name: string) => string | undefined): Unit[] {
  const groups = new Map<string, { size: number; excess: number }>();
  for (const { name, size, excess } of units) {
    const group = groupOf(name);
    if (group === undefined) continue;
    const known = groups.get(group) ?? { size: 0, excess: 0 };
    groups.set(group, { size: known.size + size, excess: known.excess + excess });
  }
  return [...groups].map(([name, of]) => ({ name, ...of }));
}
