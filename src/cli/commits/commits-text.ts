/** What a clone says of a report's culprits, in sentences: for a terminal and for a comment alike. Pure. */
import { shortRevision } from '../../crds/built-from.ts';
import type { CommitsOfReport, Found } from './culprit-commits.ts';
import type { Commit } from './git.ts';

export interface FoundText {
  readonly sentence: string;
  readonly commits: readonly Commit[];
  readonly hasMore: boolean;
}

export function foundText(found: Found): FoundText {
  const none = { commits: [], hasMore: false };
  switch (found.kind) {
    case 'Changed':
      return { sentence: `${placeOf(found.touched)} changed by:`, ...found.touched };
    case 'CallerChanged':
      return {
        sentence: `its own lines are as they were; its caller ${found.caller} is not, ${placeOf(found.touched)} changed by:`,
        ...found.touched,
      };
    case 'FileChanged':
      return {
        sentence: `its lines are as they were, and so are its callers'; others of ${found.touched.path} changed by:`,
        ...found.touched,
      };
    case 'Unchanged':
      return {
        sentence: `${found.path} and its callers are as they were: look at what it was given`,
        ...none,
      };
    case 'Ambiguous':
      return {
        sentence: `which of these files it is written in is not known: ${found.paths.join(', ')}`,
        ...none,
      };
    case 'NotInRepository':
      return { sentence: 'not written in this repository, and its callers there are as they were', ...none };
  }
}

const placeOf = ({
  path,
  lines,
}: {
  readonly path: string;
  readonly lines?: readonly [number, number];
}): string => (lines === undefined ? path : `${path}:${lines[0]}-${lines[1]}`);

/** "3 between 1f0e2d3a4b5c and 77f4c2d10e9a in ../shop" */
export function rangeText({ repository, baseline, canary, commits }: CommitsOfReport): string {
  const [before, after] = [shortRevision(baseline), shortRevision(canary)];
  if (baseline === canary) return `none: both were built from ${before} of ${repository}`;
  if (commits === 0)
    return `none: the canary's ${after} is older than the baseline's ${before} in ${repository}`;
  return `${commits} between ${before} and ${after} in ${repository}`;
}

/** "1f0e2d3a4b5c 2026-11-20 Ada Lovelace: Encode twice" */
export const commitText = ({ id, date, author, subject }: Commit): string =>
  `${shortRevision(id)} ${date} ${author}: ${subject}`;
