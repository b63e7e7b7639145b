/** For tests that hold for each release and each collector, but take too long for all pairs every day. */

/** Each release and each circumstance once, if there are as many: what every day proves. */
export function everyDay<R, C>(releases: readonly R[], circumstances: readonly C[]): [R, C][] {
  return pairs(releases, circumstances).flatMap(({ pair, isOnDiagonal }) => (isOnDiagonal ? [pair] : []));
}

/** All other pairs: test/matrix proves them. */
export function otherDays<R, C>(releases: readonly R[], circumstances: readonly C[]): [R, C][] {
  return pairs(releases, circumstances).flatMap(({ pair, isOnDiagonal }) => (isOnDiagonal ? [] : [pair]));
}

function pairs<R, C>(releases: readonly R[], circumstances: readonly C[]) {
  return releases.flatMap((release, row) =>
    circumstances.map((circumstance, column) => ({
      pair: [release, circumstance] as [R, C],
      isOnDiagonal: row === column,
    })),
  );
}
