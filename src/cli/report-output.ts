/** What `flamegate report -o` may name: a form for standard output, or a file whose ending says the form. */
import { extname } from 'node:path';

export const REPORT_FORMS = ['json', 'yaml', 'markdown', 'junit'] as const;
/** text: for a terminal, or with a file: its page. */
export type ReportForm = 'text' | (typeof REPORT_FORMS)[number];

export interface ReportOutput {
  readonly format: ReportForm;
  readonly output: string | undefined;
}

const BY_ENDING: Readonly<Record<string, ReportForm>> = {
  '.json': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.md': 'markdown',
  '.xml': 'junit',
};

export function reportOutput(named: string | undefined): ReportOutput {
  const form = REPORT_FORMS.find((each) => each === named);
  if (form !== undefined) return { format: form, output: undefined };
  return { format: BY_ENDING[extname(named ?? '').toLowerCase()] ?? 'text', output: named };
}
