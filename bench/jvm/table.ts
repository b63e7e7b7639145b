/** The figures of services as a person reads them. */
import type { Measured } from './measure-service.ts';
import type { Shares } from './shares.ts';

export function printTable(all: readonly Measured[]): void {
  for (const { plan, warmUp, steady, cost, parked, incomplete } of all) {
    const name = `JDK ${plan.release} ${plan.service.padEnd(7)} ${plan.variant.padEnd(12)}`;
    const micros = `${cost.kernelMicrosPerSample ?? '–'} µs kernel, ${cost.userMicrosMedian ?? '–'}/${cost.userMicrosP99 ?? '–'} µs user`;
    const frames = `${steady.framesMedian ?? '–'}/${steady.framesMax} frames, lines ${percent(steady.lineShare)}, inlined ${percent(steady.inlineShare)}`;
    console.log(
      `${name} ${words(steady)} · first 20 s ${words(warmUp)} · ${frames} · ${micros}, ${cost.foreignReadsPerSample ?? '–'} reads`,
    );
    if (parked)
      console.log(
        `    parked: ${parked.equalFrames} of ${parked.frames} frames equal${parked.different.map((thread) => `; not "${thread}"`).join('')}`,
      );
    if (all.length === 1) for (const example of incomplete) console.log(`    ${example}`);
  }
}

function words({ complete, due, causes }: Shares): string {
  const why = Object.entries(causes).map(([cause, count]) => `${cause} ${count}`);
  return `${due === 0 ? '–' : percent(complete / due)} of ${due}${why.length > 0 ? ` (${why.join(', ')})` : ''}`;
}

function percent(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(2)} %`;
}
