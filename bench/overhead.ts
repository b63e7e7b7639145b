/**
 * What watching costs a service: the same service bare, with the article's flags, with each rival's agent in it, and with
 * Flamegate beside it: bench/results/overhead.json. Needs root, openssl and setpriv; knobs: bench/overhead/knobs.ts.
 * The services' and the agent's own words are in build/overhead.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { startSteps } from '../scripts/demo/step.ts';
import { seededRandom } from '../test/reference/simulated-pods.ts';
import { writeResult } from './machine.ts';
import { measureBpf } from './overhead/bpf-run-time.ts';
import { readKnobs } from './overhead/knobs.ts';
import { loadWith } from './overhead/load.ts';
import { measure } from './overhead/measure.ts';
import { startNodeAgent } from './overhead/node-agent.ts';
import { reportOf, windowLine } from './overhead/report.ts';
import { startServices } from './overhead/running-services.ts';
import { VARIANT_NAMES } from './overhead/variants.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DIRECTORY = `${ROOT}/build/overhead`;
const JDK = '25';
const FEWEST_PUBLISHED_ROUNDS = 5;
const WORK_EVERY_SECONDS = 10; // of the agent's windows and of uploads: other windows would hold more or less than their share

const knobs = readKnobs(process.env, VARIANT_NAMES);
const names = VARIANT_NAMES.filter((name) => knobs.only?.includes(name) ?? true);
const random = seededRandom(knobs.seed);
const steps = startSteps((line) => console.log(line));
const started = new AsyncDisposableStack();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void started.disposeAsync().finally(() => process.exit(130)));
}

rmSync(DIRECTORY, { recursive: true, force: true });
mkdirSync(DIRECTORY, { recursive: true });
try {
  publish(await measured());
} catch (error) {
  if (!started.disposed) throw error; // else it is only what was pulled from under the measurement
} finally {
  await started.disposeAsync();
}

async function measured() {
  const load = loadWith(`${output('test/load/build.sh')}/flamegate-load`);
  const agents = output('bench/overhead/agents/fetch.sh');
  const jar = output('samples/orders/build.sh');
  const program = { javaHome: output('scripts/jdk-home.sh', JDK), jar, directory: DIRECTORY };

  const stopMeasuringBpf = measureBpf();
  started.defer(() => stopMeasuringBpf?.());
  const running = await steps.run(`start ${names.length} services`, () =>
    startServices(names, { agents, program, started }, ({ name, startS, startCpuS }) =>
      steps.say(`${name} up in ${startS.toFixed(1)} s, ${startCpuS.toFixed(1)} s of CPU`),
    ),
  );
  const agent = names.includes('flamegate')
    ? await steps.run('start the agent', () => startNodeAgent(DIRECTORY, started))
    : undefined;
  await steps.run(`warm each for ${knobs.warmSeconds} s`, async () => {
    for (const { port } of running.services) await load(port, knobs.rate, knobs.warmSeconds);
  });
  const bpfIsMeasured = stopMeasuringBpf !== undefined;
  const took = (window: Parameters<typeof windowLine>[0]) => steps.say(windowLine(window));
  const missed = (name: string, round: number) => {
    steps.say(
      `${round + 1}  ${name}: left out, no profiled window came; so far ${JSON.stringify(agent?.pushed)}`,
    );
  };
  const context = { knobs, load, agent, bpfIsMeasured, random, took, missed };
  const measurements = await measure(running, context, steps);
  return reportOf(measurements, knobs.rate, random);
}

/** The last line of a script's output: the path of what it made. */
function output(script: string, ...args: readonly string[]): string {
  const text = execFileSync(`${ROOT}/${script}`, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text.trim().split('\n').at(-1) ?? '';
}

function publish({ result, text, problems }: ReturnType<typeof reportOf>): void {
  console.log(`\n${text}`);
  for (const problem of problems) console.error(`problem: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  const whyNot = whyNotPublished() ?? problems[0];
  if (whyNot !== undefined) {
    console.log(`bench/results is left as it is: ${whyNot}`);
    return;
  }
  const path = writeResult('overhead', 'make bench-overhead', JDK, { knobs, ...result });
  console.log(`written to ${relative(process.cwd(), path)}`);
}

/** A short run shows that all works; what it measures is noise. */
function whyNotPublished(): string | undefined {
  if (names.length < VARIANT_NAMES.length) return 'it takes all variants';
  if (knobs.rounds < FEWEST_PUBLISHED_ROUNDS) return `it takes ${FEWEST_PUBLISHED_ROUNDS} rounds`;
  return knobs.windowSeconds % WORK_EVERY_SECONDS === 0
    ? undefined
    : `it takes windows of a multiple of ${WORK_EVERY_SECONDS} s`;
}
