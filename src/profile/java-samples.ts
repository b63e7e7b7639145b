/** How much of a window's Java ran in the interpreter: a JVM that still does is young, however long it runs. */
export interface JavaSamples {
  /** With a Java frame, by HotSpot's own tables: those named by a perf map are not told apart. */
  readonly samples: number;
  /** Of these, the ones whose topmost Java frame is interpreted. */
  readonly interpreted: number;
}

export function addJavaSamples(
  a: JavaSamples | undefined,
  b: JavaSamples | undefined,
): JavaSamples | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { samples: a.samples + b.samples, interpreted: a.interpreted + b.interpreted };
}
