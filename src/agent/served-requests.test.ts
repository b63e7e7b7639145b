/** The agent as a process of its own beside real servers: samples have the route of the request that their stack says they serve. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { checkBatch } from '../controller/ingest/check-batch.ts';
import { type JavaPeer, type Peer, startedJvm } from '../native/testing/peers.ts';
import { openStore, type WindowStore } from '../store/window-store.ts';
import { parseAssignment } from '../wire/assignment.ts';
import { aContainer, anAgent, anAssignment } from './agent-fixture.ts';
import { aController, type FixtureController } from './controller-fixture.ts';
import { aDirectory, eventually } from './jvm-fixture.ts';

/** Of test/peers/Work.kt: a request to the route spends its CPU in the function. */
const WORK = { 'GET /short': 'WorkKt.shortWork', 'GET /long': 'WorkKt.longWork' } as const;
type Route = keyof typeof WORK;
const ROUTES: readonly Route[] = ['GET /short', 'GET /long'];
const CLIENTS = 3;
const ENOUGH = 120; // samples of work
const ALL = { pods: [{ podUid: 'aaaa' }], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

interface Found {
  right: number;
  wrong: number;
  none: number;
}

/** What became of the samples of WORK, of all windows that had any requests. */
function foundIn({ batches }: FixtureController): Found {
  const found = { right: 0, wrong: 0, none: 0 };
  for (const { strings, stacks, pods } of batches) {
    const workOf = (stack: number) => {
      const names = new Set((stacks[stack] ?? []).map((name) => strings[name]));
      return ROUTES.find((route) => names.has(WORK[route]));
    };
    for (const { served, counts } of pods) {
      if (!served || served.rows.length === 0) continue;
      const all = counts.reduce((sum, [stack, count]) => sum + (workOf(stack) ? count : 0), 0);
      const told = served.rows.flatMap(({ method, route, samples }) =>
        samples.map(([stack, count]) => ({ route: `${method} ${route}`, work: workOf(stack), count })),
      );
      const sumOf = (of: typeof told) => of.reduce((sum, { count }) => sum + count, 0);
      const right = sumOf(told.filter(({ route, work }) => work === route));
      const wrong = sumOf(told.filter(({ route, work }) => work !== undefined && work !== route));
      found.right += right;
      found.wrong += wrong;
      found.none += all - right - wrong;
    }
  }
  return found;
}

async function served(
  t: TestContext,
  peer: JavaPeer,
): Promise<{ controller: FixtureController; found: Found }> {
  const controller = await aController(t);
  const container = aContainer(t);
  const service = await startedJvm(t, container.directory, peer, 21);
  const { containers, ...rest } = anAssignment(container.id);
  const asked = containers.map((each) => ({ ...each, requests: { routes: [] }, offCpu: { leastMs: 1 } }));
  controller.assignment = parseAssignment({ ...rest, windowMs: 2_000, containers: asked });
  anAgent(t, controller);
  await eventually('the JVM is profiled', () =>
    controller.batches.some(
      ({ pods }) => pods[0]?.jvm.state === 'Profiled' && pods[0].requests?.state === 'Seen',
    ),
  );
  const clients = askingUntil(service);
  try {
    await eventually('enough was sampled', () => {
      const { right, wrong, none } = foundIn(controller);
      return right + wrong + none >= ENOUGH;
    });
  } finally {
    await clients.stop();
  }
  return { controller, found: foundIn(controller) };
}

/** Mostly for the short route. */
function askingUntil({ port }: Peer) {
  let isOver = false;
  const client = async (turn: number) => {
    for (let i = turn; !isOver; i++) {
      const answer = await fetch(`http://127.0.0.1:${port}/${i % 3 === 0 ? 'long' : 'short'}`);
      await answer.text();
    }
  };
  const all = Promise.all(Array.from({ length: CLIENTS }, (_, turn) => client(turn)));
  return {
    stop: async () => {
      isOver = true;
      await all;
    },
  };
}

function aStoreOf(t: TestContext, { batches }: FixtureController): WindowStore {
  const store = openStore(`${aDirectory(t)}/windows.db`, { now: Date.now });
  t.after(() => store.close());
  for (const batch of batches) store.addBatch(checkBatch(JSON.parse(JSON.stringify(batch))));
  return store;
}

for (const [peer, least] of [
  ['jdk', 0.9], // a thread for each request
  ['ktor-netty', 0], // coroutines: while requests of both routes are open, nobody knows
] as const) {
  test(`${peer}: what serves a request has its route, and what may serve another has none`, async (t) => {
    const { controller, found } = await served(t, peer);

    const { right, wrong, none } = found;
    t.diagnostic(`${right} right, ${wrong} wrong, ${none} without a route`);
    assert.equal(wrong, 0);
    assert(right > least * (right + none));
    const rows = aStoreOf(t, controller)
      .served(ALL)
      .flatMap((window) => window.rows);
    const rated = rows.filter(({ speed, requests }) => speed === 'normal' && requests > 0);
    assert.deepEqual(new Set(rated.map(({ method, route }) => `${method} ${route}`)), new Set(ROUTES));
    for (const { requests, stopsKnown, stoppedNs, unreadNs, latencyNs } of rated) {
      assert.equal(stopsKnown, requests);
      assert(stoppedNs + unreadNs <= latencyNs);
    }
  });
}
