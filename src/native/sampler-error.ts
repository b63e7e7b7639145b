/** Why a sampler could not do what was asked; docs/errors.md says what to do about each. */
export type SamplerErrorCode =
  | 'SAMPLER_BAD_OPTION'
  | 'SAMPLER_ADDON_UNUSABLE'
  | 'SAMPLER_CLOSED'
  | 'SAMPLER_TARGETS_FULL'
  | 'SAMPLER_TARGET_FAILED'
  | 'SAMPLER_PROCESSES_FULL'
  | 'SAMPLER_LAYOUT_INVALID'
  | 'SAMPLER_NO_THREAD'
  | 'BPF_OBJECT_MISSING'
  | 'BPF_OBJECT_INVALID'
  | 'BPF_NOT_PERMITTED'
  | 'BPF_LOAD_FAILED'
  | 'PERF_NOT_PERMITTED'
  | 'PERF_OPEN_FAILED'
  | 'REQUESTS_ATTACH_FAILED'
  | 'OFFCPU_NO_BTF'
  | 'OFFCPU_ATTACH_FAILED'
  | 'IO_NO_BTF'
  | 'IO_ATTACH_FAILED'
  | 'LOCKDOWN_FAILED';

/** `log` is what libbpf and the verifier had to say, at most its last 64 KB; often empty. */
export class SamplerError extends Error {
  override readonly name = 'SamplerError';
  readonly code: SamplerErrorCode;
  readonly log: string;

  constructor(code: SamplerErrorCode, message: string, options: { cause?: unknown; log?: string } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.log = options.log ?? '';
  }
}
