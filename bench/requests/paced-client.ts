/** Requests of HTTP/1.1 at a constant rate, each with a traceparent by which it is known. */
import { Agent, request } from 'node:http';
import { type Asked, type Pace, paced, type Route, tookNsOf } from './pace.ts';

const MOST_CONNECTIONS = 16;
const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** In the order in which they were due. Rejects when a request fails. */
export async function ask(pace: Pace): Promise<readonly Asked[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS });
  let count = 0;
  try {
    return await paced(pace, (route, dueMs) => {
      count += 1;
      return answerOf(pace, agent, route, { id: count.toString(16).padStart(16, '0'), dueMs });
    });
  } finally {
    agent.destroy();
  }
}

function answerOf(
  { host, port }: Pace,
  agent: Agent,
  { path, body, headers }: Route,
  { id, dueMs }: { readonly id: string; readonly dueMs: number },
): Promise<Asked> {
  const options = { host, port, path, agent, method: body === undefined ? 'GET' : 'POST' };
  const traced = { ...headers, traceparent: `00-${TRACE}-${id}-01` };
  return new Promise((resolve, reject) => {
    const sentMs = performance.now();
    const asked = request({ ...options, headers: traced }, (response) => {
      const { statusCode } = response;
      if (statusCode !== 200) reject(new Error(`${path} is answered with ${statusCode}`));
      response.resume();
      response.once('error', reject);
      response.once('end', () => {
        const endMs = performance.now();
        const [latencyNs, tookNs] = [(endMs - dueMs) * 1e6, (endMs - sentMs) * 1e6];
        resolve({ route: path, id, latencyNs, tookNs, appNs: tookNsOf(response.headers['took-ns']) });
      });
    });
    asked.once('error', reject);
    asked.end(body);
  });
}
