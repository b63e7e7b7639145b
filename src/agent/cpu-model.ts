/** The node's CPU by name: pods on different ones are no twins. */
import { readText } from './bounded-read.ts';

const MAX_BYTES = 8 * 1024; // of the first processor; the others are alike, or it is no name for the node
const MAX_NAME = 128;

/** By implementer and part where the kernel has no name for it, as on ARM; undefined where it says neither. */
export function readCpuModel(procRoot: string): string | undefined {
  const text = readText(`${procRoot}/cpuinfo`, MAX_BYTES) ?? '';
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*: (.+)$`, 'm').exec(text)?.[1]?.trim();
  const arm = [field('CPU implementer'), field('CPU part'), field('CPU variant')];
  const name =
    field('model name') ?? (arm.every((each) => each !== undefined) ? `ARM ${arm.join(' ')}` : undefined);
  return name === undefined || name === '' ? undefined : name.slice(0, MAX_NAME);
}
