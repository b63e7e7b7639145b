/** What may be gone a while later, for commands that wait and ask again. */
import { isKubeError, type KubeErrorCode } from '../kube/kube-error.ts';
import { CliError, type CliErrorCode } from './cli-error.ts';

/** There was a token when it began: that none is granted now passes, like the rest. */
const OF_CONTROLLER: ReadonlySet<CliErrorCode> = new Set([
  ...(['CONTROLLER_UNREACHABLE', 'CONTROLLER_NOT_FOUND', 'NO_TOKEN'] as const),
]);
/** The API server restarts, or is asked too much. */
const OF_API_SERVER: readonly KubeErrorCode[] = [
  ...(['KUBE_UNREACHABLE', 'KUBE_SERVER_ERROR', 'KUBE_THROTTLED', 'KUBE_EXPIRED'] as const),
];

export const isPassing = (error: unknown): boolean =>
  error instanceof CliError
    ? OF_CONTROLLER.has(error.code)
    : OF_API_SERVER.some((code) => isKubeError(error, code));
