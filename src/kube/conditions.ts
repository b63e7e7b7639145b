/**
 * metav1.Condition the way kstatus reads it: `Ready` is normal when True and always present; `Reconciling` and
 * `Stalled` are abnormal when True and present only then. Pure: the clock is an argument.
 */

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;

const MAX_MESSAGE = 2048; // the bound in the kinds' schema

/** Replaces the condition of that type, or adds it; lastTransitionTime moves only when `status` does. */
export function setCondition(
  conditions: readonly Condition[],
  next: NewCondition,
  nowMs: number,
): readonly Condition[] {
  const index = conditions.findIndex((condition) => condition.type === next.type);
  const before = conditions[index];
  const condition: Condition = {
    ...next,
    message: next.message.length > MAX_MESSAGE ? `${next.message.slice(0, MAX_MESSAGE - 1)}…` : next.message,
    lastTransitionTime: before?.status === next.status ? before.lastTransitionTime : metaTime(nowMs),
  };
  return before === undefined ? [...conditions, condition] : conditions.with(index, condition);
}

/** Takes a condition away, as kstatus wants of `Reconciling` and `Stalled` that no longer hold. */
export function removeCondition(conditions: readonly Condition[], type: string): readonly Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** The types whose status or reason changed: what Events are made of. */
export function transitions(
  before: readonly Condition[] | undefined,
  after: readonly Condition[],
): readonly Condition[] {
  return after.filter((condition) => {
    const old = findCondition(before, condition.type);
    return old?.status !== condition.status || old.reason !== condition.reason;
  });
}

/** metav1.Time has whole seconds. */
const metaTime = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
