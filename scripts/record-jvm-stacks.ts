/**
 * Records stacks of real JVMs, as BPF copies them, with all that the unwinder then reads, into test/fixtures/stacks: JDK 17, 21
 * and 25, each running the programs of the unwinding tests. Beside each recording stands as text what it has to become.
 * Needs root and a built addon. Usage: record-jvm-stacks.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HEAP_FIELDS, readHeapLayout } from '../src/jvm/heap-layout.ts';
import {
  hotspotOf,
  jdkHome,
  RELEASES,
  type Release,
  startJvm,
  startJvmStopped,
  type TestJvm,
} from '../src/jvm/testing/a-jvm.ts';
import { kotlinClassPath } from '../src/jvm/testing/kotlin-classes.ts';
import { flatUnwindLayout, UNWIND_FIELDS } from '../src/jvm/unwind-layout.ts';
import { type Replay, replay, replayText } from '../src/native/testing/replayed-stacks.ts';
import { missingKinds } from '../src/native/testing/stack-kinds.ts';
import { compressRecording, type Piece, piecesOf } from '../src/native/testing/stack-recording.ts';
import { processCpuSeconds, type Shape, shapesArgv } from '../src/native/testing/unwound-jvm.ts';

interface Scene {
  readonly name: string;
  readonly start: (release: Release) => Promise<TestJvm>;
  /** What it may burn before it is looked at. */
  readonly warmUpSeconds: number;
  readonly ticks: number;
  readonly stacks: number;
}

const BUSY: readonly Shape[] = [
  'inlined',
  'recursive',
  'bottomless',
  'collections',
  'natives',
  'systemCalls',
  'blindly',
];
// Inlined, a leaf's chain is that of the next safepoint: the depth of a recursion would not be certain.
const OWN_FRAME = ['-XX:CompileCommand=quiet', '-XX:CompileCommand=dontinline,Shapes.spin'];
// Room for garbage: callers of coroutines are found while no collection has run since the sample.
const ROOMY = ['-XX:+UseSerialGC', '-Xmx256m', '-Xmn192m'];
const SCENES: readonly Scene[] = [
  {
    name: 'starting',
    start: (release) => startJvmStopped(release, shapesArgv(['collections', 'natives'])),
    warmUpSeconds: 0,
    ticks: 120,
    stacks: 10,
  },
  {
    name: 'shapes',
    start: (release) =>
      startJvm(release, [...OWN_FRAME, ...shapesArgv(release === 17 ? BUSY : [...BUSY, 'virtuals'])]),
    warmUpSeconds: 6,
    ticks: 400,
    stacks: 27,
  },
  {
    name: 'coroutines',
    start: (release) =>
      startJvm(release, [
        ...ROOMY,
        '-cp',
        kotlinClassPath('Resumed.kt', 'SuspendFunctionGun.kt'),
        'resumed.ResumedKt',
        'all',
        'odd',
      ]),
    warmUpSeconds: 6,
    ticks: 150,
    stacks: 20,
  },
];
const MAX_ATTEMPTS = 4;
const FIXTURES = fileURLToPath(new URL('../test/fixtures/stacks/', import.meta.url));
const BUILD = fileURLToPath(new URL('../build/', import.meta.url));

mkdirSync(FIXTURES, { recursive: true });
for (const release of RELEASES) {
  const { pieces, result } = await recordAll(release);
  const file = compressRecording(pieces);
  writeFileSync(join(FIXTURES, `jdk-${release}.stacks.br`), file);
  writeFileSync(join(FIXTURES, `jdk-${release}.txt`), replayText(result));
  console.log(`jdk-${release}: ${result.stacks.length} stacks, ${file.length} bytes`);
}

/** On a busy machine some thread may not have had its turn: then once more. */
async function recordAll(release: Release): Promise<{ pieces: readonly Piece[]; result: Replay }> {
  let missing: readonly string[] = [];
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const pieces: Piece[] = [];
    for (const scene of SCENES) pieces.push(...(await record(scene, release)));
    const result = replay(pieces);
    missing = missingKinds(result.stacks, release);
    if (missing.length === 0) return { pieces, result };
    console.log(`jdk-${release}: no stack ${missing.join(', none ')}`);
  }
  throw new Error(`JDK ${release}: no stack ${missing.join(', none ')}`);
}

async function record(scene: Scene, release: Release): Promise<readonly Piece[]> {
  await using jvm = await scene.start(release);
  while (processCpuSeconds(jvm.pid) < scene.warmUpSeconds)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const hotspot = hotspotOf(jvm);
  const heap = scene.name === 'coroutines' ? readHeapLayout(jvm.read, hotspot) : undefined;
  const layout = flatUnwindLayout(hotspot.layout);
  const heapNumbers = heap?.kind === 'layout' ? heap.layout : undefined;
  const recorded = runRecorder(jvm.pid, layout, heapNumbers, scene);
  return [
    piece('name', scene.name),
    piece('maps', withoutDirectories(readFileSync(`/proc/${jvm.pid}/maps`, 'utf8'))),
    piece('layout', numbersText(UNWIND_FIELDS, layout)),
    ...(heapNumbers ? [piece('heap', numbersText(HEAP_FIELDS, heapNumbers))] : []),
    ...recorded.map((each) => withoutText(each, jdkHome(release))),
  ];
}

function runRecorder(
  pid: number,
  layout: BigInt64Array,
  heap: BigInt64Array | undefined,
  { ticks, stacks }: Scene,
): readonly Piece[] {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-recorder-'));
  try {
    const [layoutFile, heapFile, file] = ['layout', 'heap', 'stacks'].map((name) =>
      join(directory, name),
    ) as [string, string, string];
    writeFileSync(layoutFile, layout);
    if (heap) writeFileSync(heapFile, heap);
    const argv = [pid, join(BUILD, 'cpu.bpf.o'), layoutFile, heap ? heapFile : '-', ticks, stacks, file];
    execFileSync(join(BUILD, 'record-stacks'), argv.map(String), { stdio: 'inherit' });
    return piecesOf(readFileSync(file));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function piece(kind: Piece['kind'], text: string): Piece {
  return { kind, content: Buffer.from(text) };
}

function numbersText(names: readonly string[], numbers: BigInt64Array): string {
  return names.map((name, i) => `${name} ${numbers[i]}\n`).join('');
}

/** Old words on a stack, too; no address looks like them. */
function withoutText({ kind, content }: Piece, text: string): Piece {
  const result = Buffer.from(content);
  for (let at = result.indexOf(text); at >= 0; at = result.indexOf(text, at)) {
    result.fill('-', at, at + text.length);
  }
  return { kind, content: result };
}

/** Where things are installed is nobody's business. */
function withoutDirectories(maps: string): string {
  return maps.replace(/ \/.*\//g, ' /');
}
