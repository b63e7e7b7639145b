/**
 * Text of the settings file → settings, or a refusal that names file, line and key. Pure. Unknown keys are refused, since a key with
 * a typo would leave its default in force; so are anchors and aliases, which a file of twenty keys has no use for and which can
 * make gigabytes of a kilobyte.
 */
import { Ajv, type ErrorObject } from 'ajv';
import {
  type Document,
  isAlias,
  isCollection,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import { parseDurationMs } from '../../crds/quantities.ts';
import { parseBytes, type Settings, settingsOf } from './settings.ts';
import { SettingsFile } from './settings-schema.ts';

export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly code: 'SETTINGS_INVALID' | 'SETTINGS_UNREADABLE';

  constructor(code: SettingsError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Twenty keys and what is said of them; a ConfigMap could hold sixteen times as much. */
export const MOST_BYTES = 64 * 1024;
const MOST_PROBLEMS = 5; // as many as a log line can hold

interface Problem {
  readonly line: number;
  readonly text: string;
}

const QUANTITIES = { duration: parseDurationMs, bytes: parseBytes } as const;

const ajv = new Ajv({ strict: true, allErrors: true, verbose: true, useDefaults: true, coerceTypes: false });
ajv.addVocabulary(['expected', 'quantity']);
ajv.addKeyword({
  keyword: 'between',
  type: 'string',
  errors: false,
  validate: (between: readonly [string, string], text: string, schema?: Record<string, unknown>) => {
    if (!new RegExp(String(schema?.['pattern'])).test(text)) return true; // which is a problem of its own
    const of = QUANTITIES[schema?.['quantity'] === 'bytes' ? 'bytes' : 'duration'];
    return of(text) >= of(between[0]) && of(text) <= of(between[1]);
  },
});
ajv.addKeyword({
  keyword: 'url',
  type: 'string',
  errors: false,
  validate: (_: true, text: string) => URL.canParse(text),
});
ajv.addKeyword({
  keyword: 'placeholders',
  type: 'string',
  errors: false,
  validate: (
    { holding, filling }: { readonly holding: string; readonly filling: readonly string[] },
    text: string,
  ) => {
    const names = placeholdersIn(text);
    const plain = text.replaceAll(/\{[A-Za-z]+\}/g, 'x');
    return (
      names.includes(holding) &&
      names.every((name) => name === holding || filling.includes(name)) &&
      !/[{}]/.test(plain) &&
      URL.canParse(plain)
    );
  },
});
ajv.addKeyword({
  keyword: 'namedOnce',
  type: 'array',
  errors: false,
  validate: (_: true, items: readonly unknown[]) => {
    const names = items.map((item) => (item as { name?: unknown } | null)?.name);
    return new Set(names).size === items.length;
  },
});
ajv.addKeyword({
  keyword: 'sinksNamedOnce', // each is a label of one metric
  type: 'object',
  errors: false,
  validate: (_: true, sinks: Readonly<Record<string, unknown>>) => {
    const lists = Object.values(sinks).filter(Array.isArray);
    const names = lists.map((list) => new Set(list.map((item) => (item as { name?: unknown } | null)?.name)));
    return (
      new Set(names.flatMap((each) => [...each])).size === names.reduce((sum, each) => sum + each.size, 0)
    );
  },
});
ajv.addKeyword({
  keyword: 'signedWebhook',
  type: 'object',
  errors: false,
  validate: (_: true, { kind, signingKey }: Readonly<Record<string, unknown>>) =>
    kind !== 'Webhook' || signingKey !== undefined,
});

const placeholdersIn = (text: string): readonly string[] =>
  Array.from(text.matchAll(/\{([A-Za-z]+)\}/g), ([, name = '']) => name);

const validate = ajv.compile<SettingsFile>(SettingsFile);

/** `name` is what refusals call the file. An empty file leaves every default. Throws a SettingsError. */
export function parseSettings(text: string, name: string): Settings {
  const found = Buffer.byteLength(text) > MOST_BYTES ? tooLarge() : problemsIn(text);
  if (!Array.isArray(found)) return settingsOf(found);
  const lines = found.slice(0, MOST_PROBLEMS).map(({ line, text: what }) => `${name}:${line}: ${what}`);
  const more = found.length > MOST_PROBLEMS ? [`and ${found.length - MOST_PROBLEMS} more`] : [];
  throw new SettingsError('SETTINGS_INVALID', [...lines, ...more].join('; '));
}

const tooLarge = (): Problem[] => [{ line: 1, text: `the file is larger than ${MOST_BYTES} bytes` }];

function problemsIn(text: string): Problem[] | SettingsFile {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
    const broken = [...syntaxProblems(document, lines), ...aliasProblems(document, lines)];
    if (broken.length > 0) return broken.toSorted(byLine);
    const file: unknown = document.toJS({ maxAliasCount: 0 }) ?? {};
    if (validate(file)) return file;
    return schemaProblems(validate.errors ?? [], document, lines);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the stack's end: collections nested by the thousand
    return [{ line: 1, text: 'the file is nested too deeply' }];
  }
}

/** A value may break several of its bounds, and is then told of once. */
function schemaProblems(errors: readonly ErrorObject[], document: Document, lines: LineCounter): Problem[] {
  const problems = errors.map((error) => problemOf(error, document, lines));
  const distinct = new Map(problems.map((problem) => [`${problem.line} ${problem.text}`, problem]));
  return [...distinct.values()].toSorted(byLine);
}

const byLine = (a: Problem, b: Problem): number => a.line - b.line;

const syntaxProblems = ({ errors, warnings }: Document, lines: LineCounter): readonly Problem[] =>
  [...errors, ...warnings].map(({ pos, message, code }) => ({
    line: lines.linePos(pos[0]).line || 1,
    text: code === 'DUPLICATE_KEY' ? 'the key is there twice' : `not readable as YAML: ${message}`,
  }));

function aliasProblems(document: Document, lines: LineCounter): readonly Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Node(_, node) {
      const isAnchored = 'anchor' in node;
      if ((!isAlias(node) && !isAnchored) || problems.length > MOST_PROBLEMS) return;
      const line = lines.linePos(node.range?.[0] ?? 0).line || 1;
      problems.push({ line, text: 'anchors and aliases are not taken' });
    },
  });
  return problems;
}

function problemOf(error: ErrorObject, document: Document, lines: LineCounter): Problem {
  const path = error.instancePath.split('/').slice(1);
  const unknown: unknown = error.params['additionalProperty'];
  if (typeof unknown === 'string') {
    const known = Object.keys(error.parentSchema?.['properties'] ?? {}).join(', ');
    const key = [...path, unknown.slice(0, 64)].join('.');
    return {
      line: lineOf(document, lines, [...path, unknown]),
      text: `${key}: unknown key, known here are ${known}`,
    };
  }
  const expected: unknown = error.parentSchema?.['expected'];
  const what = typeof expected === 'string' ? `must be ${expected}` : (error.message ?? error.keyword);
  const key = path.length === 0 ? 'the file' : path.join('.');
  return { line: lineOf(document, lines, path), text: `${key}: ${what}` };
}

/** Of the key, as a value may begin lines below it. */
function lineOf({ contents }: Document, lines: LineCounter, path: readonly string[]): number {
  let node: unknown = contents;
  let offset = 0;
  for (const name of path) {
    const pairs: readonly unknown[] = isCollection(node) ? node.items : [];
    const pair = pairs.find((each) => isPair(each) && isScalar(each.key) && String(each.key.value) === name);
    if (!isPair(pair)) break;
    offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
    node = pair.value;
  }
  return lines.linePos(offset).line || 1;
}
