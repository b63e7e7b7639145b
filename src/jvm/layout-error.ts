/**
 * Why the data structures of a JVM cannot be made out, although its memory can be read.
 *
 *   NotHotSpot          libjvm exports no tables of HotSpot: OpenJ9, or a stub
 *   JvmStarting         the tables are there and not filled in yet: ask again
 *   LayoutIncomplete    a field that naming and unwinding need is not there: a JDK older than 17, or newer than we know
 *   LayoutOdd           a number that no HotSpot would have; not worth trusting the rest
 */
export type LayoutFailure =
  | 'NotHotSpot'
  | 'JvmStarting'
  | 'MemoryUnreadable'
  | 'LayoutIncomplete'
  | 'LayoutOdd';

/** Thrown inside src/jvm while a layout is read; readHotspot makes a value of it. */
export class LayoutError extends Error {
  readonly reason: LayoutFailure;

  constructor(reason: LayoutFailure, message: string) {
    super(message);
    this.name = 'LayoutError';
    this.reason = reason;
  }
}
