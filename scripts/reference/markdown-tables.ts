/** What the reference pages explain, as their headings and the first cells of their tables say. */

/** Text by `chapter/section`, of headings with two and three marks. */
export function sectionsOf(text: string): ReadonlyMap<string, string> {
  const sections = new Map<string, string>();
  let [chapter, section] = ['', ''];
  for (const line of text.split('\n')) {
    const [, marks = '', title = ''] = line.match(/^(##+) (.*)$/) ?? [];
    if (marks === '##') [chapter, section] = [title, ''];
    else if (marks === '###') section = title;
    else {
      const key = `${chapter}/${section}`;
      sections.set(key, `${sections.get(key) ?? ''}${line}\n`);
    }
  }
  return sections;
}

/** A first cell may name several, divided by commas, and in code marks. */
export function firstCells(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|--'))
    .map((line) => line.split(' | ', 1)[0] ?? '')
    .flatMap((cell) => cell.slice(2).split(', '))
    .map((name) => name.replaceAll('`', '').trim())
    .filter((name) => /^[A-Z]\w*$/.test(name));
}
