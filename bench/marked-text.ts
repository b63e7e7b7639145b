/** Pages that are written by hand but for what a bench measured: that stands between two comments. */

/** Throws when the page lacks either marker, rather than write a page of its own. */
export function replaceBetweenMarkers(page: string, name: string, text: string): string {
  const begin = `<!-- ${name}:begin -->\n`;
  const end = `<!-- ${name}:end -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no ${begin.trim()} before ${end}`);
  return `${page.slice(0, from)}${begin}\n${text.trim()}\n\n${page.slice(to)}`;
}
