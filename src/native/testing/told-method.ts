/** For tests: a method as the programs in native/testing tell it, in words of one line. */
import type { JavaMethod } from '../../jvm/java-frame.ts';

export function methodOf([
  ,
  ,
  holder = '',
  name = '',
  ,
  sourceFile = '',
  lines = '',
]: readonly string[]): JavaMethod {
  return { holder, name, sourceFile, lineTable: Buffer.from(lines, 'hex') };
}
