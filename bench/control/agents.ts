/**
 * A thousand agents in one process, as a child of bench/control.ts: each has the real agent's push loop, long poll, client,
 * window clock, and a token of its own. Only what they send is made up. Reads a Plan from one file, tells its parent when it is
 * prepared, and at its end writes a Sent to another.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pollAssignments } from '../../src/agent/assignment-poll.ts';
import { pause } from '../../src/agent/backoff.ts';
import { type ControllerClient, createControllerClient } from '../../src/agent/controller-client.ts';
import { createLog } from '../../src/agent/log.ts';
import { createPushLoop } from '../../src/agent/push-loop.ts';
import { createWindowClock } from '../../src/agent/window-clock.ts';
import { BATCHES_PATH } from '../../src/wire/endpoints.ts';
import { memorySpool } from './memory-spool.ts';
import { type SentPod, type WindowSource, windowSource } from './node-windows.ts';
import { nodeName } from './size.ts';

export interface Plan {
  readonly directory: string;
  readonly controller: string;
  readonly caFile: string;
  readonly recording: string;
  /** By node. */
  readonly tokens: readonly string[];
  readonly pods: readonly SentPod[];
  /** How long agents push; what is pushed after `warmSeconds` is timed. */
  readonly seconds: number;
  readonly warmSeconds: number;
}

export interface Sent {
  /** Of answered pushes of the measured windows. */
  readonly pushMs: readonly number[];
  /** Since all began: the last push before the measured ones that took longer than SLOW_MS was answered then. */
  readonly slowUntilMs: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly batches: number;
  readonly windows: number;
  /** Acknowledged batches, `node/sequence`. */
  readonly acknowledged: readonly string[];
  readonly assignments: number;
  /** What the process of the agents itself kept them waiting, by the 99th and the last percentile of its loop: it is in `pushMs`. */
  readonly ownDelayMs: readonly [number, number];
}

const FIRST_WINDOW_MS = 10_000; // until the assignment says
const LOOK_MS = 2_000;
const FLUSH_MS = 60_000;
const SLOW_MS = 1_000;

const [planFile, resultFile] = process.argv.slice(2);
if (planFile === undefined || resultFile === undefined) throw new Error('usage: agents.ts PLAN RESULT');
const plan: Plan = JSON.parse(await readFile(planFile, 'utf8'));
const log = createLog('error', 'agents');
const boot = `bench-${process.pid}`;
const source: WindowSource = await windowSource(plan.recording, boot);
const podsOfNode = Map.groupBy(plan.pods, ({ node }) => node);
const sent = {
  ...{ pushMs: [] as number[], slowUntilMs: 0, refused: {} as Record<string, number> },
  ...{ batches: 0, windows: 0 },
};
const acknowledged: string[] = [];
let assignments = 0;
for (const node of plan.tokens.keys()) source.prepare(node, podsOfNode.get(node) ?? []);
const beganMs = Date.now();
process.send?.('prepared', () => process.disconnect());
const isMeasured = (): boolean => Date.now() - beganMs >= plan.warmSeconds * 1_000;

const own = monitorEventLoopDelay({ resolution: 5 });
own.enable();
setTimeout(() => own.reset(), plan.warmSeconds * 1_000).unref();
await Promise.all(plan.tokens.map((token, node) => runAgent(node, token)));
const ownDelayMs = [own.percentile(99) / 1e6, own.max / 1e6] as const;
const result: Sent = { ...sent, acknowledged, assignments, ownDelayMs };
await writeFile(resultFile, JSON.stringify(result));

async function runAgent(node: number, token: string): Promise<void> {
  const directory = join(plan.directory, nodeName(node));
  await mkdir(directory, { recursive: true });
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, token);
  const spool = memorySpool();
  const client = timed(
    createControllerClient({ url: new URL(plan.controller), caFile: plan.caFile, tokenFile }),
  );
  const push = createPushLoop({
    ...{ client, spool, log, random: Math.random },
    pushed: (kind, code) => {
      if (kind !== 'sent') sent.refused[code] = (sent.refused[code] ?? 0) + 1;
    },
  });
  const ending = new AbortController();
  let windowMs = FIRST_WINDOW_MS;
  const polling = pollAssignments(
    {
      ...{ client, log, node: nodeName(node), random: Math.random },
      take: async ({ store, ...assignment }) => {
        assignments += 1;
        windowMs = assignment.windowMs;
        await push.storeIs(store);
      },
      failed: (code) => {
        sent.refused[code] = (sent.refused[code] ?? 0) + 1;
      },
    },
    ending.signal,
  );
  const pushing = push.run(ending.signal);
  const pods = podsOfNode.get(node) ?? [];
  const clock = createWindowClock(Date.now(), windowMs);
  for (let sequence = 0; Date.now() - beganMs < plan.seconds * 1_000; ) {
    const ended = clock.turn(Date.now(), windowMs);
    // All close at once: that they do not push at once is the push loop's.
    if (ended?.whole) {
      spool.put(`${boot}-${sequence}`, source.batch(node, { ...ended, sequence }), Date.now());
      sequence += 1;
      sent.batches += 1;
      sent.windows += pods.length;
      push.wake(ended.endMs - ended.startMs);
    }
    await pause(Math.max(0, Math.min(clock.boundaryMs - Date.now(), LOOK_MS)), ending.signal);
  }
  await untilSent(() => spool.nextWaiting() === undefined);
  for (const entry of spool.entries())
    if (entry.state === 'sent') acknowledged.push(`${nodeName(node)}/${entry.id.slice(boot.length + 1)}`);
  ending.abort();
  await Promise.all([pushing, polling]);
  client.close();
}

async function untilSent(done: () => boolean): Promise<void> {
  const end = Date.now() + FLUSH_MS;
  while (!done() && Date.now() < end) await pause(100, AbortSignal.timeout(FLUSH_MS));
}

function timed(client: ControllerClient): ControllerClient {
  return {
    ...client,
    async ask(asked, signal) {
      const startedMs = performance.now();
      const answer = await client.ask(asked, signal);
      if (asked.path !== BATCHES_PATH || answer.status >= 300) return answer;
      const tookMs = performance.now() - startedMs;
      if (isMeasured()) sent.pushMs.push(tookMs);
      else if (tookMs > SLOW_MS) sent.slowUntilMs = Date.now() - beganMs;
      return answer;
    },
  };
}
