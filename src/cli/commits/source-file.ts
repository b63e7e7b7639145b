/** Which file of a repository a frame's function is written in, by the file's name and its package. Pure. */
import { continuationClassOf, functionOfContinuation } from '../../profile/kotlin-names.ts';

/** A function as the source has it: "suspend shop.Orders.find_[a]" is `find` of package `shop`. */
export interface SourceName {
  readonly packageName: string;
  /** Of the method, and of the functions that a lambda or a nested class is in, the nearest first. */
  readonly names: readonly string[];
}

const MARKED = /^(?:suspend )?(.*?)(?:_\[[a-z]\])?$/s;
/** Of generated members: access$find, find$lambda$0, find$default, find$suspendImpl. */
const GENERATED = new Set(['access', 'lambda', 'default', 'suspendImpl', 'invoke', 'invokeSuspend']);

export function sourceName(frame: string): SourceName {
  const [, plain = frame] = MARKED.exec(frame) ?? [];
  const continuation = continuationClassOf(plain);
  const name = continuation === undefined ? plain : functionOfContinuation(continuation);
  const parts = name.split('.');
  const method = parts.at(-1) ?? '';
  const [, ...nested] = (parts.at(-2) ?? '').split('$');
  const names = [...method.split('$'), ...nested.toReversed()]
    .map((part) => part.replace(/-.*$/s, '')) // of a function with value classes: find-0d7_KjU
    .filter((part) => /^[\p{L}_]/u.test(part) && !GENERATED.has(part));
  return { packageName: parts.slice(0, -2).join('.'), names: [...new Set(names)] };
}

const MOST_CANDIDATES = 16; // "Main.kt" is many in a large repository, of which few are in folders of the package

/** Those of that name, the ones first whose folders are the package's: Kotlin may leave its beginning out. */
export function candidatePaths(
  paths: readonly string[],
  file: string,
  packageName: string,
): readonly string[] {
  const wanted = packageName.split('.').toReversed();
  const agreement = (path: string): number => {
    const folders = path.split('/').slice(0, -1).toReversed();
    const differs = wanted.findIndex((part, depth) => folders[depth] !== part);
    return differs < 0 ? wanted.length : differs;
  };
  return paths
    .filter((path) => path === file || path.endsWith(`/${file}`))
    .toSorted((a, b) => agreement(b) - agreement(a))
    .slice(0, MOST_CANDIDATES);
}

const PACKAGE = /^[ \t]*package[ \t]+([\p{L}\p{N}_.`$]+)/mu;

/** The package that a file of Java, Kotlin, Scala or Groovy says it is of. */
export const packageIn = (text: string): string => (PACKAGE.exec(text)?.[1] ?? '').replaceAll('`', '');

/** Tests do not run in a pod, so of two files the other one is meant. */
export const isTestPath = (path: string): boolean => /(?:^|\/)(?:test|\w+Test|\w+-test)\//.test(path);
