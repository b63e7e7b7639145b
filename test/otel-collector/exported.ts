/** For tests: what a collector's own exporter sent on, as OTLP's JSON has it, in a form to compare. */

export interface Exported {
  readonly metrics: readonly ExportedMetric[];
  readonly profiles: readonly ExportedProfile[];
}

export type Attributes = Readonly<Record<string, string | readonly string[]>>;

export interface ExportedMetric {
  readonly resource: Attributes;
  readonly name: string;
  readonly unit: string;
  /** sum, gauge, histogram or exponentialHistogram. */
  readonly kind: string;
  readonly isMonotonic: boolean;
  readonly points: readonly ExportedPoint[];
}

export interface ExportedPoint {
  readonly attributes: Attributes;
  readonly value: number;
  readonly count: number;
  readonly sum: number;
  readonly startMs: number;
  readonly atMs: number;
  /** Upper bound of each bucket that has any, and how many. */
  readonly buckets: readonly (readonly [number, number])[];
}

export interface ExportedProfile {
  readonly resource: Attributes;
  readonly sampleType: string;
  readonly periodType: string;
  readonly period: number;
  readonly timeMs: number;
  readonly durationMs: number;
  readonly id: string;
  readonly samples: number;
  /** Root first, each frame with its place: `main(Main.kt:3);work`. */
  readonly stacks: Readonly<Record<string, number>>;
  /** By function. */
  readonly frameTypes: Readonly<Record<string, string>>;
  /** Of each table of the dictionary, whether its first entry is the one that means nothing. */
  readonly beginsWithNothing: boolean;
}

/** A message whose fields a test names: JSON leaves out what is zero. */
type Json = { readonly [field: string]: Json } | undefined;

const list = (json: Json): readonly Json[] => (Array.isArray(json) ? json : []);
const numberOf = (json: Json): number => Number(json ?? 0);
const textOf = (json: Json): string => String(json ?? '');
const msOf = (json: Json): number => Number(BigInt(textOf(json) || '0') / 1_000_000n);

/** Of profiles, what they name may be said by its place among `strings`. */
function attributesOf(json: Json, strings: readonly string[] = []): Attributes {
  const text = (direct: Json, at: Json): string =>
    at === undefined ? textOf(direct) : (strings[numberOf(at)] ?? '');
  const one = (value: Json): string =>
    text(value?.['stringValue'] ?? value?.['intValue'], value?.['stringValueStrindex']);
  const read = (value: Json): string | readonly string[] =>
    value?.['arrayValue'] === undefined ? one(value) : list(value['arrayValue']['values']).map(one);
  return Object.fromEntries(
    list(json).map((each) => [text(each?.['key'], each?.['keyStrindex']), read(each?.['value'])]),
  );
}

export function exportedMetrics(request: Json): readonly ExportedMetric[] {
  return list(request?.['resourceMetrics']).flatMap((of) =>
    list(of?.['scopeMetrics']).flatMap((scope) =>
      list(scope?.['metrics']).map((metric) => {
        const kind = KINDS.find((each) => metric?.[each] !== undefined) ?? '';
        return {
          resource: attributesOf(of?.['resource']?.['attributes']),
          ...{ name: textOf(metric?.['name']), unit: textOf(metric?.['unit']), kind },
          isMonotonic: String(metric?.[kind]?.['isMonotonic']) === 'true',
          points: list(metric?.[kind]?.['dataPoints']).map(pointOf),
        };
      }),
    ),
  );
}

const KINDS = ['sum', 'gauge', 'histogram', 'exponentialHistogram'] as const;

function pointOf(point: Json): ExportedPoint {
  return {
    attributes: attributesOf(point?.['attributes']),
    ...{
      value: numberOf(point?.['asDouble']),
      count: numberOf(point?.['count']),
      sum: numberOf(point?.['sum']),
    },
    ...{ startMs: msOf(point?.['startTimeUnixNano']), atMs: msOf(point?.['timeUnixNano']) },
    buckets: bucketsOf(point).filter(([, count]) => count > 0),
  };
}

function bucketsOf(point: Json): readonly (readonly [number, number])[] {
  const { positive } = point ?? {};
  if (positive === undefined) {
    const bounds = list(point?.['explicitBounds']).map(numberOf);
    return list(point?.['bucketCounts']).map((count, at) => [
      bounds[at] ?? Number.POSITIVE_INFINITY,
      numberOf(count),
    ]);
  }
  const base = 2 ** (2 ** -numberOf(point?.['scale']));
  const offset = numberOf(positive['offset']);
  return list(positive['bucketCounts']).map((count, at) => [base ** (offset + at + 1), numberOf(count)]);
}

export function exportedProfiles(request: Json): readonly ExportedProfile[] {
  const { dictionary } = request ?? {};
  const table = (name: string): readonly Json[] => list(dictionary?.[name]);
  const strings = table('stringTable').map(textOf);
  const stringAt = (json: Json): string => strings[numberOf(json)] ?? '';
  const typeOf = (type: Json): string =>
    `${stringAt(type?.['typeStrindex'])} ${stringAt(type?.['unitStrindex'])}`;
  const frameOf = (location: Json): { name: string; text: string; type: string } => {
    const [line] = list(location?.['lines']);
    const written = table('functionTable')[numberOf(line?.['functionIndex'])];
    const [name, file] = [stringAt(written?.['nameStrindex']), stringAt(written?.['filenameStrindex'])];
    const at = numberOf(line?.['line']);
    const place = file === '' ? '' : `(${file}${at === 0 ? '' : `:${at}`})`;
    const [attribute] = list(location?.['attributeIndices']).map(
      (each) => table('attributeTable')[numberOf(each)],
    );
    const [type = ''] = Object.entries(attributesOf([attribute] as never, strings)).map((pair) =>
      pair.join(' '),
    );
    return { name, text: `${name}${place}`, type };
  };
  const frames = table('locationTable').map(frameOf);
  const stackAt = (json: Json): string =>
    list(table('stackTable')[numberOf(json)]?.['locationIndices'])
      .map((each) => frames[numberOf(each)]?.text ?? '?')
      .toReversed()
      .join(';');
  const isNothing = (json: Json): boolean =>
    Object.values(json ?? {}).every((value) => /^0*$/.test(String(value)) || list(value).length === 0);
  return list(request?.['resourceProfiles']).flatMap((of) =>
    list(of?.['scopeProfiles']).flatMap((scope) =>
      list(scope?.['profiles']).map((profile) => ({
        resource: attributesOf(of?.['resource']?.['attributes'], strings),
        ...{ sampleType: typeOf(profile?.['sampleType']), periodType: typeOf(profile?.['periodType']) },
        ...{ period: numberOf(profile?.['period']), timeMs: msOf(profile?.['timeUnixNano']) },
        ...{ durationMs: msOf(profile?.['durationNano']), id: textOf(profile?.['profileId']) },
        samples: list(profile?.['samples']).length,
        stacks: Object.fromEntries(
          list(profile?.['samples']).map((sample) => [
            stackAt(sample?.['stackIndex']),
            list(sample?.['values']).reduce((sum, value) => sum + numberOf(value), 0),
          ]),
        ),
        frameTypes: Object.fromEntries(frames.slice(1).map(({ name, type }) => [name, type.trim()])),
        beginsWithNothing:
          strings[0] === '' && TABLES.every((name) => table(name).length > 0 && isNothing(table(name)[0])),
      })),
    ),
  );
}

const TABLES = [
  'mappingTable',
  'locationTable',
  'functionTable',
  'linkTable',
  'attributeTable',
  'stackTable',
];
