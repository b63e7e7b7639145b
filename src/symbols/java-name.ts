import { cleanName } from './clean-name.ts';

/**
 * A method's name as people write it, `shop.Codec.decode`, from what a perf map calls it: "void shop.Codec.decode(",
 * "Lshop/Codec;::decode" or "shop.Codec::decode". Numbers and addresses of generated classes are taken out, for two
 * pods have to agree. Anything else is a piece of the JVM itself: "StubRoutines (1)" → "[StubRoutines]".
 */
export function javaName(raw: string): string {
  const method = fromSignature(raw) ?? fromPerfMapAgent(raw);
  return cleanName(method === undefined ? blobName(raw) : withoutNumbers(method));
}

/** The same name from what the JVM itself calls the class, "shop/Codec", and the method. */
export function javaMethodName(holder: string, method: string): string {
  return cleanName(withoutNumbers(`${holder.replaceAll('/', '.')}.${method}`));
}

/** "<return type> <class>.<method>(": perf-map.ts leaves the parenthesis as the mark of a method. */
function fromSignature(name: string): string | undefined {
  const open = name.indexOf('(');
  if (open <= 0 || name[open - 1] === ' ' || name.includes('::')) return undefined;
  const space = name.indexOf(' ');
  const method = space >= 0 && space < open ? name.slice(space + 1, open) : name.slice(0, open);
  return method.includes('.') ? method : undefined;
}

function fromPerfMapAgent(name: string): string | undefined {
  const colons = name.indexOf('::');
  if (colons <= 0 || name.startsWith('StubRoutines')) return undefined;
  const owner = name.slice(0, colons);
  const open = name.indexOf('(', colons);
  const method = name.slice(colons + 2, open < 0 ? undefined : open);
  const internal = owner.startsWith('L') && owner.endsWith(';');
  return `${internal ? owner.slice(1, -1).replaceAll(/\/(?!0x|\d)/g, '.') : owner}.${method}`;
}

function blobName(name: string): string {
  const plain = name.replace(/ ?\(.*$/, '').trim();
  return plain === '' ? '[unknown]' : `[${plain}]`;
}

// What differs between two runs of one program. Lambda and hidden classes: JDK 8 "$$Lambda$7/1234", 17
// "$$Lambda$7/0x…", 21 and later "$$Lambda/0x…"; LambdaForm$MH/0x… alike. Accessors and proxies count up as they are
// needed; CGLIB, Byte Buddy and Hibernate append a hash or a random word.
const GENERATED: readonly (readonly [RegExp, string])[] = [
  [/[/+.](?:0x[0-9a-fA-F]+|\d+)(?=\.|$)/g, ''],
  [/\$\$Lambda\$\d+/g, '$$$$Lambda'],
  [/(Generated(?:Method|Constructor|SerializationConstructor)Accessor)\d+/g, '$1'],
  [/\bjdk\.proxy\d+\b/g, 'jdk.proxy'],
  [/\$Proxy\d+/g, '$$Proxy'],
  [/(\$\$(?:EnhancerBy|FastClassBy)\w*?CGLIB)\$\$[0-9a-f]+/g, '$1'],
  [/(\$(?:ByteBuddy|HibernateProxy))\$\w+/g, '$1'],
];

function withoutNumbers(name: string): string {
  return GENERATED.reduce((shorter, [pattern, replacement]) => shorter.replace(pattern, replacement), name);
}
