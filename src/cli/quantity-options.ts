/** Options that hold a duration or a percentage, as the kinds spell them; what is wrong names the option. */
import { parseDurationMs, parsePercentage } from '../crds/quantities.ts';
import { usageError } from './cli-error.ts';

/** Milliseconds. Throws a CliError USAGE. */
export const durationOption = (option: string, text: string): number => parsed(option, text, parseDurationMs);

/** A share, 0 to 1. Throws a CliError USAGE. */
export const percentageOption = (option: string, text: string): number =>
  parsed(option, text, parsePercentage);

function parsed(option: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (cause) {
    throw usageError(`--${option}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}
