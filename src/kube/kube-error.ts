/** What the API server, or the way to it, said no with. */
export type KubeErrorCode =
  | 'KUBE_BAD_REQUEST'
  | 'KUBE_UNAUTHORIZED'
  | 'KUBE_FORBIDDEN'
  | 'KUBE_NOT_FOUND'
  | 'KUBE_CONFLICT'
  | 'KUBE_EXPIRED'
  | 'KUBE_INVALID'
  | 'KUBE_THROTTLED'
  | 'KUBE_REFUSED'
  | 'KUBE_SERVER_ERROR'
  | 'KUBE_BAD_ANSWER'
  | 'KUBE_UNREACHABLE';

const BY_STATUS: Readonly<Record<number, KubeErrorCode>> = {
  400: 'KUBE_BAD_REQUEST',
  401: 'KUBE_UNAUTHORIZED',
  403: 'KUBE_FORBIDDEN',
  404: 'KUBE_NOT_FOUND',
  409: 'KUBE_CONFLICT',
  410: 'KUBE_EXPIRED',
  422: 'KUBE_INVALID',
  429: 'KUBE_THROTTLED',
};

export interface KubeErrorFacts {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** `reason` of the API server's Status object, for example `AlreadyExists` beside `Conflict`: both are 409. */
  readonly reason?: string;
  readonly cause?: unknown;
}

export class KubeError extends Error {
  readonly code: KubeErrorCode;
  readonly status: number;
  readonly reason: string | undefined;

  constructor(code: KubeErrorCode, sentence: string, facts: KubeErrorFacts) {
    super(`${code}: ${sentence}`, { cause: facts.cause });
    this.name = 'KubeError';
    this.code = code;
    this.status = facts.status;
    this.reason = facts.reason;
  }
}

export const isKubeError = (error: unknown, code?: KubeErrorCode): error is KubeError =>
  error instanceof KubeError && (code === undefined || error.code === code);

export function codeOfStatus(status: number): KubeErrorCode {
  return BY_STATUS[status] ?? (status >= 500 ? 'KUBE_SERVER_ERROR' : 'KUBE_REFUSED');
}
