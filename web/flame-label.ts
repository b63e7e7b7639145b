/** A frame's name in the room there is: whole, without its package, without what else can be missed, or cut. */

const LEAST_CHARACTERS = 3;
const SUSPEND = /^suspend /;
const LIBRARY = / \[[^[\]]+\]$/; // "malloc [libc.so.6]"

/** "" when not even three characters fit. */
export function labelIn(name: string, characters: number): string {
  if (characters < LEAST_CHARACTERS) {
    return '';
  }
  if (name.length <= characters) return name;
  const shorter = withoutPackage(name);
  const shortest = shorter.replace(SUSPEND, '').replace(LIBRARY, '');
  const fitting = [shorter, shortest].find((label) => label.length <= characters);
  return fitting ?? `${shortest.slice(0, characters - 1)}…`;
}

/** `suspend shop.codec.Slow$Json.encode` → `suspend Slow$Json.encode`; what has no package stays. */
function withoutPackage(name: string): string {
  return name.replace(/^(suspend )?(?:[a-z_][\w$]*[./])+(?=[^./]+[./][^./]+$)/, '$1');
}
