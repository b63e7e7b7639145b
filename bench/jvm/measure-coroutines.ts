/** Of coroutines that were resumed when a sample came: how many got their suspended callers, and whether those are right. */
import { RELEASES, type Release } from '../../src/jvm/testing/a-jvm.ts';
import { falseChains, startResumedJvm, tornStacks } from '../../src/native/testing/resumed-jvm.ts';
import { share } from './shares.ts';

/** Of samples of resumed coroutines: those with a right chain. Unsupported where callers are not looked for. */
type ChainShare = number | 'Unsupported' | null;

export interface CoroutineFigures {
  readonly g1: ChainShare;
  readonly parallel: ChainShare;
  readonly serial: ChainShare;
  readonly zgc: ChainShare;
  readonly shenandoah: ChainShare;
  /** Chains that are not what the program's source says, of all collectors. */
  readonly falseChains: number;
  readonly samples: number;
}

interface Tally {
  samples: number;
  right: number;
  wrong: number;
  unsupported: number;
}

const COLLECTORS = {
  g1: ['-XX:+UseG1GC'],
  parallel: ['-XX:+UseParallelGC'],
  serial: ['-XX:+UseSerialGC'],
  zgc: ['-XX:+UseZGC', '-Xmx128m'],
  shenandoah: ['-XX:+UseShenandoahGC', '-Xmx128m'],
} as const;
type Collector = keyof typeof COLLECTORS;

/** `cpuSeconds` of each JVM, at 199 Hz. */
export async function measureCoroutines(cpuSeconds: number): Promise<CoroutineFigures> {
  const tallies = new Map<Collector, Tally>();
  for (const collector of ['g1', 'parallel', 'serial', 'zgc', 'shenandoah'] as const) {
    const tally = { samples: 0, right: 0, wrong: 0, unsupported: 0 };
    tallies.set(collector, tally);
    for (const release of RELEASES) {
      try {
        await add(tally, release, COLLECTORS[collector], cpuSeconds);
      } catch (error) {
        console.error(`JDK ${release} ${collector}: not measured:`, error); // a JDK may be built without a collector
      }
    }
    console.log(`coroutines, ${collector}: ${JSON.stringify(tally)}`);
  }
  const all = [...tallies.values()];
  return {
    g1: shareOf(tallies.get('g1')),
    parallel: shareOf(tallies.get('parallel')),
    serial: shareOf(tallies.get('serial')),
    zgc: shareOf(tallies.get('zgc')),
    shenandoah: shareOf(tallies.get('shenandoah')),
    falseChains: all.reduce((sum, { wrong }) => sum + wrong, 0),
    samples: all.reduce((sum, { samples }) => sum + samples, 0),
  };
}

async function add(
  tally: Tally,
  release: Release,
  flags: readonly string[],
  cpuSeconds: number,
): Promise<void> {
  await using jvm = await startResumedJvm(release, ['all'], { flags });
  await jvm.profile(cpuSeconds);
  const before = jvm.sampler.counters().chains;
  const stacks = await jvm.profile(cpuSeconds);
  const after = jvm.sampler.counters().chains;
  const sum = (ends: typeof after) => Object.values(ends).reduce((total, count) => total + count, 0);
  const wrong = [...falseChains(stacks), ...tornStacks(stacks)].reduce(
    (total, { count }) => total + count,
    0,
  );
  tally.samples += sum(after) - sum(before);
  tally.right += after.chain - before.chain - wrong;
  tally.wrong += wrong;
  tally.unsupported += after.unsupported - before.unsupported;
}

function shareOf(tally: Tally | undefined): ChainShare {
  if (!tally || tally.samples === 0) return null;
  return tally.unsupported === tally.samples ? 'Unsupported' : share(tally.right, tally.samples);
}
