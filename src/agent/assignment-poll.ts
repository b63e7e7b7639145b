/** Asks the controller, again and again, what this node has to do. */
import { type Assignment, parseAssignment } from '../wire/assignment.ts';
import { ASSIGNMENT_PATH } from '../wire/endpoints.ts';
import { AgentError, codeOf, messageOf } from './agent-error.ts';
import { createBackoff, pause } from './backoff.ts';
import type { ControllerAnswer, ControllerClient } from './controller-client.ts';
import type { AgentLog } from './log.ts';

export interface AssignmentPollOptions {
  readonly client: ControllerClient;
  readonly node: string;
  readonly log: AgentLog;
  readonly random: () => number;
  take(assignment: Assignment): Promise<void>;
  failed(code: string): void;
}

const WAIT_SECONDS = 30;
const TIMEOUT_MS = (WAIT_SECONDS + 15) * 1000;
const MIN_PAUSE_MS = 250; // also against a server that does not hold the request
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;

/** Runs until the signal is aborted. An assignment that is not one is logged and left out. */
export async function pollAssignments(options: AssignmentPollOptions, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff(FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, options.random);
  let etag: string | undefined; // of this run: what is on disk may be of another build of the controller
  while (!signal.aborted) {
    const startedMs = Date.now();
    try {
      const answer = await askOnce(options, etag, signal);
      if (answer.status === 200) {
        await options.take(parsed(answer.body));
        etag = answer.etag;
      }
      backoff.reset();
      const unheld = answer.status === 304 && Date.now() - startedMs < MIN_PAUSE_MS;
      await pause(MIN_PAUSE_MS + options.random() * (unheld ? 4000 : 250), signal);
    } catch (error) {
      const waitMs = backoff.next();
      if (isAborted(signal)) return;
      options.failed(codeOf(error));
      options.log.warn({ code: codeOf(error), reason: messageOf(error), waitMs }, 'assignment not received');
      await pause(waitMs, signal);
    }
  }
}

/** The compiler does not know that it changes while we wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function askOnce(
  { client, node }: AssignmentPollOptions,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<ControllerAnswer> {
  const answer = await client.ask(
    {
      method: 'GET',
      path: `${ASSIGNMENT_PATH}?node=${encodeURIComponent(node)}`,
      headers: { prefer: `wait=${WAIT_SECONDS}`, ...(etag === undefined ? {} : { 'if-none-match': etag }) },
      timeoutMs: TIMEOUT_MS,
    },
    signal,
  );
  if (answer.status === 200 || answer.status === 304) return answer;
  client.reconnect();
  throw new AgentError(
    'CONTROLLER_REFUSED',
    `the assignment: HTTP ${answer.status} ${answer.code ?? ''}`.trim(),
  );
}

function parsed(body: unknown): Assignment {
  try {
    return parseAssignment(body);
  } catch (cause) {
    throw new AgentError('CONTROLLER_ANSWER_INVALID', `the assignment: ${messageOf(cause)}`, { cause });
  }
}
