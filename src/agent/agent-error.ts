/** What can go wrong in the agent itself; docs/errors.md says what to do about each. */
export type AgentErrorCode =
  | 'AGENT_CONFIG_INVALID'
  | 'AGENT_CGROUP_ROOT_MISSING'
  | 'AGENT_SPOOL_UNUSABLE'
  | 'LOCAL_SAMPLER_NOT_OPEN'
  | 'CONTROLLER_UNREACHABLE'
  | 'CONTROLLER_REFUSED'
  | 'CONTROLLER_ANSWER_INVALID';

export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The code of any error: our own, or the system's (ENOENT). */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'UNKNOWN';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
