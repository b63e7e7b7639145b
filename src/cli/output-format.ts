/** The forms in which what is listed is printed: a table for people, JSON and YAML for scripts. */
import { stringify } from 'yaml';
import { usageError } from './cli-error.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Throws a CliError USAGE. */
export function outputFormat(given: string | undefined): OutputFormat {
  const format = OUTPUT_FORMATS.find((known) => known === (given ?? 'table'));
  if (format === undefined) throw usageError(`--output is one of ${OUTPUT_FORMATS.join(', ')}`);
  return format;
}

/** `asTable` is only called for a table. */
export function printed(format: OutputFormat, value: unknown, asTable: () => string): string {
  switch (format) {
    case 'table':
      return asTable();
    case 'json':
      return `${JSON.stringify(value, null, 2)}\n`;
    case 'yaml':
      return stringify(value, { aliasDuplicateObjects: false });
  }
}
