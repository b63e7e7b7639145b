import { readFileSync } from 'node:fs';

// include/uapi/linux/capability.h
const BITS = { CAP_DAC_READ_SEARCH: 2n, CAP_SYS_PTRACE: 19n, CAP_PERFMON: 38n, CAP_BPF: 39n } as const;

export type CapabilityName = keyof typeof BITS;

/** Which of these this process does not have in effect; undefined where /proc does not tell. */
export function missingCapabilities(names: readonly CapabilityName[]): readonly CapabilityName[] | undefined {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (mask === undefined) return undefined;
  const effective = BigInt(`0x${mask}`);
  return names.filter((name) => (effective & (1n << BITS[name])) === 0n);
}
