/**
 * e-BH (Wang & Ramdas 2022): the indices whose e-values are rejected at false discovery rate `alpha`, under
 * any dependence, so that a function and its callers, or looks in a row, need no further correction.
 */
export function rejectedByEbh(logEValues: readonly number[], alpha: number): number[] {
  // The least threshold, of all rejected at once, is 1 / alpha: what has less is not worth sorting.
  const descending: number[] = [];
  for (let index = 0; index < logEValues.length; index++)
    if ((logEValues[index] ?? 0) > 0) descending.push(index);
  descending.sort((a, b) => (logEValues[b] ?? 0) - (logEValues[a] ?? 0) || a - b);
  let rejected = 0;
  descending.forEach((index, position) => {
    const threshold = Math.log(logEValues.length / (alpha * (position + 1)));
    if ((logEValues[index] ?? Number.NEGATIVE_INFINITY) >= threshold) rejected = position + 1;
  });
  return descending.slice(0, rejected);
}
