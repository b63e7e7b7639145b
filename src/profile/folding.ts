/**
 * Stacks of coroutines as their authors think of them: `suspend` functions on a dispatcher, without what calls them.
 * A view: what is sampled, sent, stored and judged are the raw stacks.
 */
import { continuationClassOf, functionOfContinuation, suspendName } from './kotlin-names.ts';
import {
  dispatcherOf,
  isResumed,
  isScheduler,
  type Machinery,
  machineryOf,
  threadEntryOf,
} from './machinery.ts';
import { NOWHERE } from './place.ts';
import type { StackCount } from './stack-counts.ts';

export interface Folding {
  /** One for each, in their order, with its count; equal ones are not merged. */
  fold(stack: StackCount): StackCount;
  /** What a function is called in folded stacks. */
  nameOf(name: string): string;
}

/** What a frame's name says, once for all stacks. */
interface Frame {
  /** Without its mark. */
  readonly name: string;
  readonly mark: string;
  readonly shown: string;
  /** In the source: "shop.Orders.checkout" for its body, its state machine, its lambdas and the ways to it. */
  readonly functionName: string;
  /** The class whose invokeSuspend this is. */
  readonly continuation: string | undefined;
  /** Only leads to the function: an accessor, or what fills in default arguments. */
  readonly isWay: boolean;
  /** Of a file that is compiled to several classes; its facade leads to it. */
  readonly isFilePart: boolean;
  readonly machinery: Machinery | undefined;
}

const SAFEPOINT = '_[s]';
const NO_JAVA = /\]$/; // code without a name, of a library, of the kernel, or a caller that waits: all stay as they are
const ACCESSOR = '.access$'; // how the class of a continuation reaches a private function
const DEFAULT_ARGUMENTS = /\$default$/;
const DEFAULT_IMPLEMENTATIONS = '$DefaultImpls.'; // where bodies of an interface's functions are
const FILE_PART = /Kt__\w+Kt\./; // "StringsKt__StringsJVMKt.", a part of what StringsKt is the facade of

/** For profiles that are shown together: a function that is resumed in one of them has one name in all. */
export function foldingOf(...profiles: readonly (readonly StackCount[])[]): Folding {
  const known = new Map<string, Frame>();
  const frameOf = (name: string): Frame => {
    const frame = known.get(name) ?? readFrame(name);
    known.set(name, frame);
    return frame;
  };
  const suspending = new Set<string>();
  for (const { frames } of profiles.flat()) addSuspending(frames.map(frameOf), suspending);
  const shown = (frame: Frame): string => {
    const isSuspend =
      frame.continuation !== undefined || (!frame.isWay && suspending.has(frame.functionName));
    return `${isSuspend ? suspendName(frame.shown) : frame.shown}${frame.mark}`;
  };
  return {
    fold: (stack) => foldStack(stack, stack.frames.map(frameOf), shown),
    nameOf: (name) => shown(frameOf(name)),
  };
}

function readFrame(marked: string): Frame {
  const mark = marked.endsWith(SAFEPOINT) ? SAFEPOINT : '';
  const name = mark === '' ? marked : marked.slice(0, -mark.length);
  const isJava = !NO_JAVA.test(name);
  const continuation = isJava ? continuationClassOf(name) : undefined;
  const isFilePart = isJava && FILE_PART.test(name);
  const plain = continuation === undefined ? name : functionOfContinuation(continuation);
  const shown = isJava ? plain.replace(DEFAULT_IMPLEMENTATIONS, '.').replace(FILE_PART, 'Kt.') : name;
  const functionName = isJava ? shown.replace(ACCESSOR, '.').replace(DEFAULT_ARGUMENTS, '') : name;
  const machinery = isJava ? machineryOf(name) : undefined;
  return {
    name,
    mark,
    shown,
    functionName,
    continuation,
    isWay: functionName !== shown,
    isFilePart,
    machinery,
  };
}

/**
 * No name says that a function suspends, but its state machine calls it when it is resumed. That tells it from a function
 * that has a lambda which suspends: such a lambda goes by the function's name, and does not call it.
 */
function addSuspending(frames: readonly Frame[], suspending: Set<string>): void {
  for (const [i, { continuation, functionName }] of frames.entries()) {
    if (continuation === undefined) continue;
    let called = i - 1;
    while (called > 0 && isWayTo(frames[called], functionName)) called -= 1;
    const inner = frames[called];
    const isFunction = inner?.functionName === functionName && inner.continuation === undefined;
    if (isFunction && inner.machinery === undefined) suspending.add(functionName);
  }
}

const isWayTo = (frame: Frame | undefined, functionName: string): boolean =>
  frame?.isWay === true && frame.functionName === functionName;

/** The leaf is never left out: whatever burnt CPU itself keeps its own frame. */
function foldStack(stack: StackCount, frames: readonly Frame[], shown: (frame: Frame) => string): StackCount {
  const view: string[] = [];
  const places: string[] = [];
  const push = (name: string, place: string) => {
    view.push(name);
    places.push(place);
  };
  const entry = threadEntryOf(stack.frames);
  let last: Frame | undefined; // that is shown, while no machinery was met behind it
  let run: Frame[] = [];
  const endRun = (isRoot: boolean) => {
    if (run.length === 0) return;
    const [leaf] = last?.machinery === undefined ? [] : [last];
    const names = [...(leaf ? [leaf] : []), ...run].map(({ name }) => name);
    // Between two functions of a coroutine nobody misses it, and a leaf speaks for itself.
    const isMissed =
      last?.continuation === undefined && leaf === undefined && run.some((frame) => !isOfThread(frame));
    if (isRoot || isMissed || isResumed(names)) push(labelOf(names, run), NOWHERE);
    last = undefined;
    run = [];
  };
  for (const [depth, frame] of frames.entries()) {
    const place = stack.places?.[depth] ?? NOWHERE;
    const isEntry = depth >= entry.from && depth < entry.to;
    if (depth > 0 && (isEntry || frame.machinery !== undefined)) {
      run.push(frame);
      continue;
    }
    endRun(false);
    if (last !== undefined && leadsOnlyTo(last, frame)) continue;
    if (last !== undefined && isStateMachineOf(last, frame)) {
      view[view.length - 1] = shown(last.mark === '' ? { ...frame, mark: '' } : frame);
      if (places.at(-1) === NOWHERE) places[places.length - 1] = place;
    } else {
      push(shown(frame), place);
    }
    last = frame;
  }
  endRun(true);
  return stack.places === undefined ? { ...stack, frames: view } : { ...stack, frames: view, places };
}

const isOfThread = ({ machinery }: Frame): boolean => machinery === undefined || machinery === 'thread';

/** An accessor or a facade of the function, or the `invoke` that begins a lambda. */
function leadsOnlyTo(inner: Frame, frame: Frame): boolean {
  if (frame.continuation !== undefined) return false;
  if (inner.continuation !== undefined) return frame.name === `${inner.continuation}.invoke`;
  const isFacade = inner.isFilePart && !frame.isFilePart;
  return frame.functionName === inner.functionName && (frame.isWay || isFacade);
}

function isStateMachineOf(inner: Frame, frame: Frame): boolean {
  const isFunction = inner.continuation === undefined && inner.machinery === undefined;
  return isFunction && frame.continuation !== undefined && frame.functionName === inner.functionName;
}

function labelOf(names: readonly string[], run: readonly Frame[]): string {
  if (isResumed(names)) {
    const dispatcher = dispatcherOf(names);
    return dispatcher === undefined ? '[coroutines]' : `[coroutines: ${dispatcher}]`;
  }
  const kinds = new Set(run.map(({ machinery }) => machinery));
  if (isScheduler(names)) return '[coroutine scheduler]';
  if (kinds.has('coroutines')) return '[coroutines]';
  if (kinds.has('loop')) return '[event loop]';
  if (kinds.has('pipeline')) return '[pipeline]';
  return kinds.has('pool') ? '[thread pool]' : '[thread]';
}
