/** What ends a command: a code for scripts, a sentence for people. */
export type CliErrorCode =
  | 'USAGE'
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  | 'PROCESS_NOT_FOUND'
  | 'CONTAINER_NOT_FOUND'
  | 'COMMAND_FAILED'
  | 'NOTHING_SAMPLED'
  | 'REPORT_NOT_FOUND'
  | 'CONTROLLER_NOT_FOUND'
  | 'CONTROLLER_UNREACHABLE'
  | 'CONTROLLER_REFUSED'
  | 'NO_TOKEN'
  | 'RECORDING_EXISTS'
  | 'RECORDING_INVALID'
  | 'NO_EVALUATIONS'
  | 'GATE_NOT_FOUND'
  | 'GATES_UNREADABLE'
  | 'WORKLOAD_NOT_FOUND'
  | 'NOT_CERTIFIED'
  | 'UI_PORT_UNAVAILABLE'
  | 'PROFILE_UNITS_DIFFER'
  | 'GIT_NOT_FOUND'
  | 'GIT_FAILED'
  | 'GIT_TOO_SLOW'
  | 'REPOSITORY_INVALID'
  | 'REVISION_MISSING'
  | 'REVISION_UNKNOWN'
  | 'HISTORY_SHALLOW';

export class CliError extends Error {
  readonly code: CliErrorCode;
  override readonly name = 'CliError';

  constructor(code: CliErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export const usageError = (sentence: string, cause?: unknown): CliError =>
  new CliError('USAGE', `${sentence}\n"flamegate --help" shows what can be typed`, cause);

/** What a command that says more than "done" ends with. */
export interface Outcome {
  readonly text: string;
  readonly exitCode: number;
}
