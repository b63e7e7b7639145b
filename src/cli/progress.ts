/** A word for whoever waits, where something takes longer than they expect. */
const A_WHILE_MS = 1_000;

/** `say` is undefined where nobody watches. */
export async function sayAfterAWhile<T>(
  work: Promise<T>,
  say: ((line: string) => void) | undefined,
  line: string,
): Promise<T> {
  const timer = setTimeout(() => say?.(line), A_WHILE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
