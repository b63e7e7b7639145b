/** One value for all that are equal: the pods of a workload have the same labels, owner, containers, images and JVMs, and are thousands. */

/** Of what is shared now; then it begins anew, so that workloads which are gone are not kept. */
const MOST_VALUES = 4_096;
/** As JSON: a larger one is rare, and would be kept as long as the others. */
const LONGEST_KEY = 2_048;

export interface SharedValues {
  /** An equal value that was given before, or this one. It is frozen, since others may have it, too. */
  share<Value>(value: Value): Value;
}

export function sharedValues(): SharedValues {
  const values = new Map<string, unknown>();
  return {
    share<Value>(value: Value): Value {
      if (value === undefined) return value;
      const key = JSON.stringify(value);
      if (key.length > LONGEST_KEY) return value;
      const known = values.get(key);
      if (known !== undefined) return known as Value; // of the same JSON, so of the same type
      if (values.size >= MOST_VALUES) values.clear();
      values.set(key, frozen(value));
      return value;
    },
  };
}

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
