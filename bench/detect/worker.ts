/** Simulates parts of cells, as many gates as asked for at a time. */
import { parentPort } from 'node:worker_threads';
import { CELLS, type NamedCell } from './cells.ts';
import { simulateCpuGate } from './cpu-gate.ts';
import { simulateFullGate } from './full-gate.ts';
import type { GateOutcome } from './gate-outcome.ts';
import { modelOf } from './latency-cell.ts';
import { simulateGate } from './latency-gate.ts';
import { chanceOf, seedOf } from './random.ts';
import { addOutcome, emptyTally, type Tally } from './tally.ts';

export interface Part {
  readonly name: string;
  readonly first: number;
  readonly gates: number;
}

export interface PartDone extends Part {
  readonly tally: Tally;
}

const judges = new Map<string, (gate: number) => GateOutcome>();

parentPort?.on('message', (part: Part) => parentPort?.postMessage({ ...part, tally: simulated(part) }));

function simulated({ name, first, gates }: Part): Tally {
  const judge = judgeFor(name);
  const tally = emptyTally();
  const before = process.threadCpuUsage();
  for (let gate = first; gate < first + gates; gate++) addOutcome(tally, judge(gate));
  const { user, system } = process.threadCpuUsage(before);
  tally.cpuMs = (user + system) / 1_000;
  return tally;
}

function judgeFor(name: string): (gate: number) => GateOutcome {
  const known = judges.get(name);
  if (known !== undefined) return known;
  const named = CELLS.find((each) => each.name === name);
  if (named === undefined) throw new Error(`no cell is called ${name}`);
  const judge = judgeOf(named);
  judges.set(name, judge);
  return judge;
}

function judgeOf(named: NamedCell): (gate: number) => GateOutcome {
  const seed = seedOf(`judged ${named.name}`);
  if (named.kind === 'cpu' || named.kind === 'foretold')
    return (gate) => simulateCpuGate(named.cell, gate, chanceOf(seed, gate));
  if (named.kind === 'full') return (gate) => simulateFullGate(named.cell, chanceOf(seed, gate));
  if ('simulate' in named) return (gate) => named.simulate(gate, chanceOf(seed, gate));
  const model = modelOf(named.cell);
  return (gate) => simulateGate(model, named.family, chanceOf(seed, gate));
}
