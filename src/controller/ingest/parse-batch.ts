/** From the bytes of a batch's JSON to the batch: its names and stacks by themselves, the rest by JSON.parse. */
import type { ReadBatch } from '../../store/batch-stack-ids.ts';
import { packLists } from '../../store/packed-lists.ts';
import { packTexts } from '../../store/packed-texts.ts';
import { LONGEST_STACK, LONGEST_STRING, MOST_STACKS, MOST_STRINGS } from '../../wire/batch-schema.ts';
import { checkBatch, checkBatchApart } from './check-batch.ts';
import { Refusal } from './refusal.ts';
import { takeLists, takeTexts, without } from './take-apart.ts';

const STACKS = { most: MOST_STACKS, longest: LONGEST_STACK };
const STRINGS = { most: MOST_STRINGS, longest: LONGEST_STRING };

/** Throws the Refusal that names the first thing wrong with it. */
export function parseBatch(json: Buffer): ReadBatch {
  return inParts(json) ?? asAWhole(json);
}

/**
 * Undefined: it is to be read as a whole. What was taken may be what somebody put under such a key elsewhere; then the batch has lists
 * of its own, or none.
 */
function inParts(json: Buffer): ReadBatch | undefined {
  const strings = takeTexts(json, 'strings', STRINGS);
  const stacks = takeLists(json, 'stacks', STACKS);
  if (strings === undefined || stacks === undefined) return undefined;
  const places = takeLists(json, 'places', STACKS);
  const rest = parsed(without(json, [strings, stacks, ...(places ? [places] : [])]));
  if (!isObject(rest) || !isEmptyList(rest['strings']) || !isEmptyList(rest['stacks'])) return undefined;
  if (places === undefined ? 'places' in rest : !isEmptyList(rest['places'])) return undefined;
  return checkBatchApart(rest, { strings: strings.taken, stacks: stacks.taken, places: places?.taken });
}

function asAWhole(json: Buffer): ReadBatch {
  const { places = [], stacks, strings, ...batch } = checkBatch(parsedOrRefused(json));
  return {
    ...batch,
    strings: packTexts(strings),
    stacks: packLists(stacks),
    places: packLists(places),
  };
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    return undefined; // as a whole it is none either, and what is wrong is said of that
  }
}

function parsedOrRefused(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.slice(0, 200) : '';
    const sentence = `the ${json.length} inflated bytes are not JSON: ${why}`;
    throw new Refusal(400, 'BATCH_NOT_JSON', sentence, { cause });
  }
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
