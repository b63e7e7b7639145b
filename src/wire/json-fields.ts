/** Reads JSON that came over the wire. Each throws a TypeError that names the field. */
const MAX_ITEMS = 512; // containers: a node runs 110 pods by default and 250 on the largest clouds; twice that
const MAX_TEXT = 253; // the longest Kubernetes name

export function record(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${at} is not an object`);
  }
  return { ...value };
}

export function list(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_ITEMS) {
    throw new TypeError(`${at} is not a list of at most ${MAX_ITEMS}`);
  }
  return value;
}

export function text(value: unknown, at: string, longest = MAX_TEXT): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > longest) {
    throw new TypeError(`${at} is not a string of 1 to ${longest} characters`);
  }
  return value;
}

export function integer(value: unknown, at: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new TypeError(`${at} is not an integer from ${min} to ${max}`);
  }
  return value;
}

export function httpUrl(value: unknown, at: string): string {
  const url = text(value, at);
  if (/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(url)) return url;
  throw new TypeError(`${at} is not an http or https URL`);
}
