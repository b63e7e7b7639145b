/**
 * Reads the memory of another process: exactly `length` bytes, or undefined when any of them cannot be read. Any address may
 * be asked for. The process runs on meanwhile, so what comes is as good as foreign input: torn, stale or made up.
 */
export type ReadMemory = (address: bigint, length: number) => Uint8Array | undefined;
