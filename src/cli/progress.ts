/** A word for whoever waits, where something takes longer than they expect. */
const A_WHILE_MS = 1_000;

/** `say` is undefined where nobody watches, `line` where the work speaks for itself. */
export async function sayAfterAWhile<T>(
  work: Promise<T>,
  say: ((line: string) => void) | undefined,
  line: string | undefined,
): Promise<T> {
  if (say === undefined || line === undefined) return work;
  const timer = setTimeout(() => say(line), A_WHILE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
