/** Requests at a constant rate, whether the earlier ones are answered or not, as users send them. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Asked {
  readonly path: string;
  /** From when it was due. */
  readonly latencyNs: number;
}

export interface Pace {
  readonly host: string;
  readonly port: number;
  /** A second. */
  readonly rate: number;
  readonly seconds: number;
  /** In turns; a path of /echo is posted to. */
  readonly paths: readonly string[];
}

const MOST_CONNECTIONS = 16;
const BODY = 'y'.repeat(3000);

/** Rejects when a request fails. */
export async function ask(pace: Pace): Promise<readonly Asked[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS });
  const begun = performance.now();
  const answers: Promise<Asked>[] = [];
  for (let i = 0; i < pace.rate * pace.seconds; i++) {
    const dueMs = begun + (i * 1000) / pace.rate;
    const wait = dueMs - performance.now();
    if (wait > 0) await delay(wait);
    answers.push(answerOf(pace, agent, pace.paths[i % pace.paths.length] ?? '/', dueMs));
  }
  try {
    return await Promise.all(answers);
  } finally {
    agent.destroy();
  }
}

function answerOf({ host, port }: Pace, agent: Agent, path: string, dueMs: number): Promise<Asked> {
  const isPost = path.startsWith('/echo');
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, agent, method: isPost ? 'POST' : 'GET' }, (response) => {
      response.resume();
      response.once('error', reject);
      response.once('end', () => resolve({ path, latencyNs: (performance.now() - dueMs) * 1e6 }));
    });
    asked.once('error', reject);
    asked.end(isPost ? BODY : undefined);
  });
}
