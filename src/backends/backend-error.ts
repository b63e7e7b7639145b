/** A backend that gates read from did not give what was asked: its sentence names the backend, and is shown to whoever owns a gate. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly code: BackendCode;

  constructor(code: BackendCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export type BackendCode =
  | 'BACKEND_UNREACHABLE'
  | 'BACKEND_TIMEOUT'
  | 'BACKEND_REFUSED'
  | 'BACKEND_FAILED'
  | 'BACKEND_REDIRECTED'
  | 'BACKEND_TOO_LARGE'
  | 'BACKEND_ANSWER_INVALID'
  | 'BACKEND_CONTRADICTS'
  | 'BACKEND_TOO_COARSE'
  | 'BACKEND_CREDENTIALS';
