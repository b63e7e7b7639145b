/** Names for the addresses of one window's samples. Each address is named once per process. */
import type { SampleRow } from '../native/sample-batch.ts';
import { cleanName } from '../symbols/clean-name.ts';
import { javaName } from '../symbols/java-name.ts';
import { type KernelSymbols, kernelAddress } from '../symbols/kallsyms.ts';
import type { TrackedProcess } from './tracked-process.ts';

export const UNKNOWN = '[unknown]';
export const UNNAMED_CODE = '[jit]';

export interface WindowNames {
  /** Leaf first, kernel before user; equal neighbours in brackets are one. */
  stackOf(row: SampleRow, process: TrackedProcess | undefined): readonly string[];
  /** Whether a frame lies in code that the process made itself and for which there is no name yet. */
  hasUnnamedCode(row: SampleRow, process: TrackedProcess): boolean;
}

const decode = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

export function nameWindow(addresses: BigUint64Array, kernel: KernelSymbols | undefined): WindowNames {
  const words = new Uint32Array(addresses.buffer, addresses.byteOffset, addresses.length * 2); // little-endian
  const kernelNames = new Map<number, string>();
  const userNames = new Map<TrackedProcess, Map<number, string>>();
  const low = (index: number) => words[2 * index] ?? 0;
  const high = (index: number) => words[2 * index + 1] ?? 0;
  const userAddress = (index: number, depth: number) => high(index) * 2 ** 32 + calledFrom(low(index), depth);

  const kernelName = (index: number, depth: number): string => {
    const name = kernel?.nameAt(kernelAddress(high(index), calledFrom(low(index), depth)));
    return name ? `${cleanName(decode(name))}_[k]` : '[kernel]';
  };
  const namesOf = (process: TrackedProcess): Map<number, string> => {
    const names = userNames.get(process) ?? new Map<number, string>();
    userNames.set(process, names);
    return names;
  };
  return {
    stackOf(row, process) {
      const stack: string[] = [];
      row.kernel.forEach((index, depth) => {
        push(
          stack,
          cached(kernelNames, keyOf(index, depth), () => kernelName(index, depth)),
        );
      });
      const names = process && namesOf(process);
      row.user.forEach((index, depth) => {
        const name =
          names && cached(names, keyOf(index, depth), () => userName(process, userAddress(index, depth)));
        push(stack, name ?? UNKNOWN);
      });
      return stack.length > 0 ? stack : [UNKNOWN];
    },
    hasUnnamedCode: (row, process) =>
      row.user.some((index, depth) => isUnnamedCode(process, userAddress(index, depth))),
  };
}

/** A return address may be the first one behind its function: the call lies before it. The leaf is exact. */
function calledFrom(low: number, depth: number): number {
  return depth === 0 ? low : low - 1;
}

function userName(process: TrackedProcess, address: number): string {
  const region = process.regionAt(address);
  if (!region) return UNKNOWN;
  if (region.kind === 'file') return region.name;
  const name = process.jvm?.names?.nameAt(address);
  return name ? javaName(decode(name)) : UNNAMED_CODE;
}

function isUnnamedCode(process: TrackedProcess, address: number): boolean {
  return process.regionAt(address)?.kind === 'anonymous' && !process.jvm?.names?.holds(address);
}

/** One address can be a leaf here and a return address there. */
function keyOf(index: number, depth: number): number {
  return 2 * index + (depth === 0 ? 0 : 1);
}

function cached(names: Map<number, string>, key: number, make: () => string): string {
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = make();
  names.set(key, name);
  return name;
}

function push(stack: string[], name: string): void {
  if (name.startsWith('[') && stack.at(-1) === name) return;
  stack.push(name);
}
