/** What a recorder asks for: labels as kubectl writes them, and a time. */
import type { LabelSelectorLike } from '../../kube/label-selector.ts';
import { Refusal } from './refusal.ts';

export interface WindowsQuery {
  readonly selector: LabelSelectorLike;
  readonly fromMs: number;
}

type Expression = NonNullable<LabelSelectorLike['matchExpressions']>[number];

const MAX_SELECTOR_LENGTH = 1_024;
/** Keys and values as the API server takes them, a little wider: what no label can be matches no pod. */
const KEY = '[A-Za-z0-9][A-Za-z0-9./_-]{0,316}';
const VALUE = '[A-Za-z0-9._-]{0,63}';
const EQUALITY = new RegExp(`^(${KEY})\\s*(==?|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(\\s*(${VALUE}(?:\\s*,\\s*${VALUE})*)\\s*\\)$`);
const EXISTENCE = new RegExp(`^(!?)\\s*(${KEY})$`);

/** Throws Refusal 400 WINDOWS_QUERY_INVALID. Without a selector nothing is selected, so there has to be one. */
export function parseWindowsQuery(query: URLSearchParams): WindowsQuery {
  return { fromMs: parseFromMs(query), selector: parseSelector(query.get('selector') ?? '') };
}

/** Throws Refusal 400 WINDOWS_QUERY_INVALID. */
export function parseFromMs(query: URLSearchParams): number {
  const fromMs = Number(query.get('fromMs') ?? '');
  if (/^\d{1,16}$/.test(query.get('fromMs') ?? '') && Number.isSafeInteger(fromMs)) return fromMs;
  throw invalid('fromMs is a time in milliseconds since 1970');
}

function parseSelector(text: string): LabelSelectorLike {
  if (text.length > MAX_SELECTOR_LENGTH) {
    throw invalid(`a selector has at most ${MAX_SELECTOR_LENGTH} characters`);
  }
  const requirements = text.split(/,(?![^()]*\))/); // a comma within parentheses parts values
  return { matchExpressions: requirements.map((requirement) => parseRequirement(requirement.trim())) };
}

function parseRequirement(text: string): Expression {
  const [, equalKey, sign, value = ''] = EQUALITY.exec(text) ?? [];
  if (equalKey !== undefined) {
    return { key: equalKey, operator: sign === '!=' ? 'NotIn' : 'In', values: [value] };
  }
  const [, setKey, word, values = ''] = SET.exec(text) ?? [];
  if (setKey !== undefined) {
    return { key: setKey, operator: word === 'in' ? 'In' : 'NotIn', values: values.split(/\s*,\s*/) };
  }
  const [, not, key] = EXISTENCE.exec(text) ?? [];
  if (key !== undefined) {
    return { key, operator: not === '!' ? 'DoesNotExist' : 'Exists' };
  }
  throw invalid(`"${text.slice(0, 80)}" is no label selector; write app=orders,track in (a,b)`);
}

const invalid = (sentence: string): Refusal => new Refusal(400, 'WINDOWS_QUERY_INVALID', sentence);
