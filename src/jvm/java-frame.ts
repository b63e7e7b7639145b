/** A method and a place in it, in words. */
import { cleanName } from '../symbols/clean-name.ts';
import { javaMethodName } from '../symbols/java-name.ts';
import { lineAt } from './line-table.ts';
import type { ExcludedBytes } from './unsigned5.ts';

/** As the JVM has it. */
export interface JavaMethod {
  /** "shop/Codec" */
  readonly holder: string;
  readonly name: string;
  /** Empty for methods that the JVM made itself, and for classes without debug information. */
  readonly sourceFile: string;
  /** Empty if it has none: native methods, hidden classes of lambdas. */
  readonly lineTable: Uint8Array;
}

export interface JavaFrame {
  /** "shop.Codec.decode", as from a perf map. */
  readonly name: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** `bci`: undefined where the JVM has no place for the instruction. */
export function javaFrame(method: JavaMethod, bci: number | undefined, excluded: ExcludedBytes): JavaFrame {
  return {
    name: javaMethodName(method.holder, method.name),
    file: cleanName(method.sourceFile) || undefined,
    line: bci === undefined ? undefined : lineAt(method.lineTable, bci, excluded),
  };
}
