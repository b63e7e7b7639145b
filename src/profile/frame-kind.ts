/** What kind of code a frame is, by its name and by whose thread it is: ARCHITECTURE.md says what the marks mean. */
import type { DiffTree } from './diff.ts';

export const FRAME_KINDS = [
  'java',
  'inlined',
  'suspended',
  'kernel',
  'collector',
  'jvm',
  'native',
  'waiting',
  'machinery',
] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

/** For a reader; what needs no word has none. */
export const KIND_WORDS: Readonly<Record<FrameKind, string>> = {
  java: '',
  inlined: 'inlined; certain for the next safepoint only',
  suspended: 'async caller: it is suspended and waits in the heap',
  kernel: 'kernel',
  collector: 'garbage collector',
  jvm: "the JVM's own code",
  native: 'native library',
  waiting: 'what was waited for',
  machinery: 'machinery, or code without a name',
};

/** Before the name in a frame: not by colour alone. Java has none. */
export const KIND_SIGNS: Readonly<Record<FrameKind, string>> = {
  java: '',
  inlined: '≈',
  suspended: '↩',
  kernel: 'K',
  collector: 'GC',
  jvm: 'VM',
  native: 'C',
  waiting: 'W',
  machinery: '',
};

const MARK = /_\[([ksa])\]$/;
const OF_MARK: Readonly<Record<string, FrameKind>> = { k: 'kernel', s: 'inlined', a: 'suspended' };
const COLLECTOR = '[GC thread]';
const OTHER_THREADS = /^\[(C1 compiler|C2 compiler|compiler|VM thread)\]$/; // roots of src/jvm/vm-threads.ts
const WAITING = /^\[(wait: .*|(file|socket) (read|write|sync|receive|send))\]$/;
const LIBRARY = /(?:^| )\[([^[\]]+\.so[^[\]]*)\]$/;

/** Of a name alone. */
export function kindOfName(name: string): FrameKind {
  const mark = MARK.exec(name)?.[1];
  if (mark !== undefined) return OF_MARK[mark] ?? 'java';
  if (!name.endsWith(']')) return 'java';
  if (name === COLLECTOR) return 'collector';
  if (OTHER_THREADS.test(name)) return 'jvm';
  if (WAITING.test(name)) return 'waiting';
  const library = LIBRARY.exec(name)?.[1];
  if (library === undefined) return 'machinery';
  return library.startsWith('libjvm') ? 'jvm' : 'native';
}

/** By node: what a thread of the JVM's own calls is the collector's, or the JVM's, whatever it is called; the kernel stays the kernel. */
export function kindsOf(tree: DiffTree): readonly FrameKind[] {
  const byName = tree.names.map(kindOfName);
  const ownerByName = tree.names.map(ownerBy);
  const owners: (FrameKind | undefined)[] = []; // by depth, of the way to where we are
  return tree.name.map((name, node) => {
    const depth = tree.depth[node] ?? 0;
    const kind = byName[name] ?? 'java';
    owners.length = depth;
    const owner = owners[depth - 1] ?? ownerByName[name];
    owners[depth] = owner;
    return kind === 'kernel' ? kind : (owner ?? kind);
  });
}

function ownerBy(name: string): FrameKind | undefined {
  if (name === COLLECTOR) return 'collector';
  return OTHER_THREADS.test(name) ? 'jvm' : undefined;
}

/** Without its mark, for the kind says the same. */
export const plainName = (name: string): string => name.replace(MARK, '');
