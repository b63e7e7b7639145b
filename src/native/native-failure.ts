import { missingCapabilities } from './capabilities.ts';
import { SamplerError, type SamplerErrorCode } from './sampler-error.ts';

/** What native/addon.cc throws. */
interface NativeFailure extends Error {
  readonly code: SamplerErrorCode;
  readonly errno: number;
  readonly reason: string;
  readonly log: string;
}

/** Runs a call into the addon; what it throws comes out as a SamplerError with a sentence. */
export function explained<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (!isNativeFailure(error)) throw error;
    throw new SamplerError(error.code, sentenceOf(error), { cause: error, log: error.log });
  }
}

// code                → besides what failed, and the kernel's word for it
// … NOT_PERMITTED     → which capability is missing, else who may refuse in spite of them
// BPF_LOAD_FAILED     → the verifier's last word
// anything else       → nothing
function sentenceOf(failure: NativeFailure): string {
  const fact = `${failure.message}: ${failure.reason}`;
  if (failure.code === 'BPF_NOT_PERMITTED' || failure.code === 'PERF_NOT_PERMITTED') {
    return `${fact}; ${permissionHint()}`;
  }
  const word = failure.code === 'BPF_LOAD_FAILED' ? lastVerifierLine(failure.log) : undefined;
  return word === undefined ? fact : `${fact}; the kernel said: ${word}`;
}

function permissionHint(): string {
  const missing = missingCapabilities(['CAP_BPF', 'CAP_PERFMON']);
  if (missing === undefined) return 'needs CAP_BPF and CAP_PERFMON';
  return missing.length > 0
    ? `needs CAP_BPF and CAP_PERFMON, of which this process lacks ${missing.join(' and ')}`
    : 'this process has CAP_BPF and CAP_PERFMON, so a seccomp profile, an LSM or kernel.perf_event_paranoid refuses';
}

/** The line before the verifier's statistics says what it refused; without one, libbpf's last line has to do. */
export function lastVerifierLine(log: string): string | undefined {
  const lines = log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const statistics = lines.findIndex((line) => /^processed \d+ insns/.test(line));
  return lines[statistics > 0 ? statistics - 1 : lines.length - 1];
}

function isNativeFailure(error: unknown): error is NativeFailure {
  return error instanceof Error && 'log' in error && 'reason' in error && 'errno' in error && 'code' in error;
}
