/** The field traceparent of W3C Trace Context, checked by who read it: 00-<trace id>-<parent id>-<flags>, in hexadecimal. */
export const traceIdOf = (traceParent: string): string => traceParent.slice(3, 35);

/** The span of the caller. */
export const parentIdOf = (traceParent: string): string => traceParent.slice(36, 52);

export const flagsOf = (traceParent: string): number => Number.parseInt(traceParent.slice(53, 55), 16);

/** Whether the caller may have recorded its part of the trace. */
export const isSampled = (traceParent: string): boolean => (flagsOf(traceParent) & 1) === 1;
