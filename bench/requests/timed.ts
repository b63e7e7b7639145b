/** Requests as one of those tells them who measure the same ones: the client, the capture, the kernel's hooks. */
export interface Timed {
  readonly route: string;
  /** By which all of them call the same request. */
  readonly id: string;
  readonly latencyNs: number;
}

/**
 * Where requests carry no id: the n-th of a route is the n-th for everybody, when each route has a connection of its own and none
 * is missing.
 */
export function numbered<T extends { readonly route: string }>(
  all: readonly T[],
): (T & { readonly id: string })[] {
  const counts = new Map<string, number>();
  return all.map((one) => {
    const count = (counts.get(one.route) ?? 0) + 1;
    counts.set(one.route, count);
    return { ...one, id: `${one.route} ${count}` };
  });
}
