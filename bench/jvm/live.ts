/** What mode Live is worth and costs: how early JVMs are met, how exact their leaves become, and what that costs them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attemptLive } from '../../src/agent/live-attempt.ts';
import { readProcessFacts } from '../../src/agent/process-facts.ts';
import { jdkHome, type Release } from '../../src/jvm/testing/a-jvm.ts';
import { samplerOptions } from '../../src/native/sampler-fixture.ts';
import { startProcess, until } from '../overhead/child-process.ts';
import { makeContainerCgroup } from '../overhead/container-cgroup.ts';
import { startLoopbackController } from '../overhead/loopback-controller.ts';
import { usageOf } from '../process-usage.ts';
import { FREQUENCY_HZ } from './measure-service.ts';
import { type Distribution, distance, selfByMethod, total } from './self-distribution.ts';
import { startService } from './service.ts';
import { openBenchSampler, watchJvm } from './watched-jvm.ts';

export interface Met {
  readonly starts: number;
  readonly set: number;
  /** Of all starts. */
  readonly within300ms: number;
  readonly ageMsMedian: number | null;
  readonly ageMsMax: number | null;
}

export interface LiveLeaf {
  readonly release: Release;
  /** To a JVM that was started with the flag: of one with the byte, of an untouched one, and of another with the flag. */
  readonly live: number | null;
  readonly untouched: number | null;
  readonly noise: number | null;
  /** Share of the samples with a Java leaf whose leaf is inlined and certain. */
  readonly certain: { readonly live: number; readonly untouched: number; readonly flag: number };
  readonly samples: number;
}

export interface LiveCost {
  readonly release: Release;
  /** Of the byte to untouched, run at the same time under the same load, one for each round. */
  readonly cpuPerRequest: readonly number[];
  readonly cpuPerRequestNoise: readonly number[];
  readonly codeCache: readonly number[];
}

const FLAG = ['-XX:+UnlockDiagnosticVMOptions', '-XX:+DebugNonSafepoints'];
const ROOT = resolve(import.meta.dirname, '../..');
const MEET_SECONDS = 30;
const EARLY_MS = 300;
const WARM_CPU_SECONDS = 6; // until C2 is through
const BURN_SECONDS = 600;
const UID = 'live-bench';

/** By the agent as a process of its own, which samples the container meanwhile, as it would on a node. */
export async function measureMet(starts: number): Promise<Met> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-live-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const cgroup = makeContainerCgroup(`kubepods/pod${UID}`);
  started.defer(cgroup.remove);
  const classes = compiled(directory, 'Idle', IDLE);
  const controller = await startLoopbackController(directory, () => undefined);
  started.defer(controller.stop);
  const log = `${directory}/agent.log`;
  mkdirSync(`${directory}/spool`);
  const agent = startProcess({
    command: ['nice', '-n', '19', process.execPath, `${ROOT}/src/agent/main.ts`],
    env: {
      ...{ NODE_NAME: 'bench', FLAMEGATE_CONTROLLER: controller.url, FLAMEGATE_SPOOL: `${directory}/spool` },
      ...{ FLAMEGATE_CA_FILE: controller.caFile, FLAMEGATE_TOKEN_FILE: controller.tokenFile },
      ...{ FLAMEGATE_CGROUP_ROOT: cgroup.node, FLAMEGATE_HTTP_PORT: '0', FLAMEGATE_LIVE: 'true' },
    },
    log,
  });
  started.defer(agent.stop);
  controller.assign(49, [cgroup.containerId], [{ podUid: UID, container: 'app' }]);
  const lines = () => readFileSync(log, 'utf8').split('\n');
  await until(`execs are watched: see ${log}`, 60, () =>
    lines().some((line) => line.includes('are watched')),
  );
  await delay(15_000); // its own start, and a window
  const kept = `${directory}/pods/${UID}/containers/app`;
  mkdirSync(kept, { recursive: true });
  for (const file of [`${kept}/0`, `${directory}/termination-log`]) writeFileSync(file, '');
  const ages: number[] = [];
  for (let start = 0; start < starts; start++) {
    const java = `${jdkHome(25)}/bin/java -Xmx32m -cp ${classes} Idle`;
    const inside = `mount --bind ${kept}/0 ${directory}/termination-log; exec nice -n 19 ${java}`;
    const script = `echo $$ > ${cgroup.directory}/cgroup.procs; exec unshare -m sh -c '${inside}'`;
    const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
    const said = () => lines().find((line) => line.includes(`"pid":${child.pid},"state"`));
    try {
      await until('the JVM is met', MEET_SECONDS, () => said() !== undefined);
      const { state, ageMs } = JSON.parse(said() ?? '{}');
      if (state === 'Set') ages.push(ageMs);
    } catch {
      console.error(`start ${start}: not met within ${MEET_SECONDS} s`);
    }
    await killed(child);
  }
  ages.sort((a, b) => a - b);
  return {
    ...{ starts, set: ages.length, within300ms: ages.filter((age) => age <= EARLY_MS).length / starts },
    ageMsMedian: ages[Math.floor(ages.length / 2)] ?? null,
    ageMsMax: ages.at(-1) ?? null,
  };
}

interface Profile {
  readonly self: Distribution;
  readonly certain: number;
}

/** One after the other: a machine of two cores is shared by nobody else then. */
export async function measureLiveLeaf(release: Release, seconds: number): Promise<LiveLeaf> {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-live-'));
  try {
    const source = readFileSync(`${import.meta.dirname}/LateLoops.java`, 'utf8');
    const classes = compiled(directory, 'LateLoops', source);
    const profile = (flags: readonly string[], isLive: boolean) =>
      profileOf(release, [...flags, '-cp', classes, 'LateLoops'], isLive, seconds);
    const flag = await profile(FLAG, false);
    const live = await profile([], true);
    const untouched = await profile([], false);
    const again = await profile(FLAG, false);
    return {
      release,
      live: distance(live.self, flag.self),
      untouched: distance(untouched.self, flag.self),
      noise: distance(again.self, flag.self),
      certain: { live: live.certain, untouched: untouched.certain, flag: flag.certain },
      samples: total(live.self),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function profileOf(
  release: Release,
  argv: readonly string[],
  isLive: boolean,
  seconds: number,
): Promise<Profile> {
  const java = `${jdkHome(release)}/bin/java`;
  const options = ['-Xmx64m', '-XX:CICompilerCount=2', '-XX:+UseSerialGC'];
  const child = spawn('nice', ['-n', '19', java, ...options, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const sampler = openBenchSampler(FREQUENCY_HZ);
  try {
    const runs = once(child.stdout, 'data');
    if (isLive) await setFlag(child.pid ?? 0);
    await runs;
    await burnt(child.pid ?? 0, WARM_CPU_SECONDS);
    using watched = await watchJvm(sampler, child.pid ?? 0);
    watched.take();
    await burnt(child.pid ?? 0, seconds);
    const { stacks } = watched.take();
    const leaves = stacks.flatMap(({ count, frames }) => {
      const leaf = frames.find((frame) => frame.kind === 'java');
      return leaf ? [{ count, isCertain: leaf.isInlined && !leaf.isSafepointPlace }] : [];
    });
    const sum = (of: typeof leaves) => of.reduce((all, { count }) => all + count, 0);
    const certain = sum(leaves.filter(({ isCertain }) => isCertain)) / sum(leaves);
    return { self: selfByMethod(stacks, watched.names), certain: Number(certain.toFixed(4)) };
  } finally {
    sampler.close();
    await killed(child);
  }
}

/** By its own CPU time: on a busy machine a JVM is not warm after so many seconds of the wall's. */
async function burnt(pid: number, cpuSeconds: number): Promise<void> {
  const end = usageOf(pid).cpuSeconds + cpuSeconds;
  await until(`it burns ${cpuSeconds} s`, BURN_SECONDS, () => usageOf(pid).cpuSeconds >= end, 100);
}

/** Two services under the same load at the same time, one of them with the byte; then two without, for the noise. */
export async function measureLiveCost(release: Release, rounds: number, seconds: number): Promise<LiveCost> {
  const cpuPerRequest: number[] = [];
  const cpuPerRequestNoise: number[] = [];
  const codeCache: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const withByte = await sideBySide(release, true, seconds);
    const without = await sideBySide(release, false, seconds);
    cpuPerRequest.push(withByte.cpu);
    codeCache.push(withByte.codeCache);
    cpuPerRequestNoise.push(without.cpu);
  }
  return { release, cpuPerRequest, cpuPerRequestNoise, codeCache };
}

const RATE = 20; // a second: two services and their load have two cores
const WARM_MS = 60_000;

/** Ratios of the first to the second. */
async function sideBySide(release: Release, isLive: boolean, seconds: number) {
  const first = await startService(release, 'shallow');
  if (isLive) await setFlag(first.pid);
  const second = await startService(release, 'shallow');
  try {
    await Promise.all([first.answers, second.answers]);
    const loads = [first, second].map((service) => service.startLoad(RATE, 600));
    await delay(WARM_MS);
    const cpu = () => [usageOf(first.pid).cpuSeconds, usageOf(second.pid).cpuSeconds] as const;
    const before = cpu();
    await delay(seconds * 1000);
    const after = cpu();
    const codeCache = codeCacheKb(release, first.pid) / codeCacheKb(release, second.pid);
    for (const load of loads) await load.stop().catch(() => undefined); // both write the same summary
    const burnt = [after[0] - before[0], after[1] - before[1]] as const;
    return { cpu: Number((burnt[0] / burnt[1]).toFixed(4)), codeCache: Number((codeCache - 1).toFixed(4)) };
  } finally {
    await Promise.all([first.stop(), second.stop()]);
  }
}

/** What is used of all code heaps. Up to 22 debug information is in it. */
function codeCacheKb(release: Release, pid: number): number {
  const jcmd = `${jdkHome(release)}/bin/jcmd`;
  const text = execFileSync(jcmd, [String(pid), 'Compiler.codecache'], { encoding: 'utf8' });
  const used = Array.from(text.matchAll(/^(?:CodeHeap|CodeCache).* used=(\d+)Kb/gm), ([, kb]) => Number(kb));
  return used.reduce((sum, kb) => sum + kb, 0);
}

/** As the agent does it, by a JVM that was met at once. */
async function setFlag(pid: number): Promise<void> {
  const facts = readProcessFacts('/proc', pid);
  if (!facts) throw new Error(`process ${pid} ended`);
  const { addonPath } = samplerOptions();
  const execMs = Number(process.hrtime.bigint()) / 1e6;
  const attempt = { facts, execMs, signal: new AbortController().signal };
  const outcome = await attemptLive(attempt, { procRoot: '/proc', addonPath });
  if (outcome?.state !== 'Set') throw new Error(`not set: ${JSON.stringify(outcome)}`);
}

const IDLE =
  'public class Idle { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }';

function compiled(directory: string, name: string, source: string): string {
  writeFileSync(`${directory}/${name}.java`, source);
  execFileSync(`${jdkHome(17)}/bin/javac`, ['-d', directory, `${directory}/${name}.java`]);
  return directory;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
