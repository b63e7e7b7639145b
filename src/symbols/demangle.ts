/**
 * C++ names as people write them, without arguments: "JavaThread::run" of "_ZN10JavaThread3runEv". Only what the names of
 * functions are mostly made of (Itanium C++ ABI, 5.1): nested names, constructors, operators, templates without their
 * arguments. Anything else stays as the linker has it. What a compiler appends to parts of a function is taken off.
 */
export function demangled(symbol: string): string {
  const name = symbol.replace(CLONE, '');
  if (!name.startsWith('_Z')) return name;
  const scanner: Scanner = { text: name, at: 2 };
  return (name[2] === 'N' ? nestedName(scanner) : unscopedName(scanner)) ?? name;
}

interface Scanner {
  readonly text: string;
  at: number;
}

const CLONE = /\.(?:isra|part|cold|constprop|lto_priv)\b.*$/;
const MAX_PARTS = 32; // namespaces, classes and templates: real names have 8
const MAX_IDENTIFIER = 1024;
const QUALIFIERS = /[rVKRO]/;
const OPERATORS: ReadonlyMap<string, string> = new Map([
  ['aS', 'operator='],
  ['cl', 'operator()'],
  ['dl', 'operator delete'],
  ['da', 'operator delete[]'],
  ['eq', 'operator=='],
  ['ix', 'operator[]'],
  ['nw', 'operator new'],
  ['na', 'operator new[]'],
  ['pt', 'operator->'],
]);

/** N, qualifiers, parts, E. */
function nestedName(scanner: Scanner): string | undefined {
  scanner.at++;
  while (QUALIFIERS.test(peek(scanner))) scanner.at++;
  const parts: string[] = [];
  for (let i = 0; i < MAX_PARTS; i++) {
    if (peek(scanner) === 'E') return parts.join('::');
    if (peek(scanner) === 'I') {
      skipTemplateArguments(scanner);
      continue;
    }
    const part = specialPart(scanner, parts.at(-1)) ?? plainPart(scanner);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return undefined;
}

function unscopedName(scanner: Scanner): string | undefined {
  const isStandard = scanner.text.startsWith('St', scanner.at);
  if (isStandard) scanner.at += 2;
  const name = plainPart(scanner);
  return name === undefined || !isStandard ? name : `std::${name}`;
}

/** Constructors, destructors, and "std"; undefined where something else stands. */
function specialPart(scanner: Scanner, before: string | undefined): string | undefined {
  const two = scanner.text.slice(scanner.at, scanner.at + 2);
  const isConstructor = /^C[1-5]$/.test(two);
  const isDestructor = /^D[0-5]$/.test(two);
  if (two !== 'St' && !isConstructor && !isDestructor) return undefined;
  scanner.at += 2;
  if (two === 'St') return 'std';
  return isDestructor ? `~${before}` : before;
}

/** An identifier behind its length, or an operator. L says that a file keeps the name for itself. */
function plainPart(scanner: Scanner): string | undefined {
  if (peek(scanner) === 'L') scanner.at++;
  const length = /^\d+/.exec(scanner.text.slice(scanner.at, scanner.at + 5))?.[0];
  if (length === undefined) {
    const operator = OPERATORS.get(scanner.text.slice(scanner.at, scanner.at + 2));
    scanner.at += 2;
    return operator;
  }
  const start = scanner.at + length.length;
  scanner.at = start + Number(length);
  if (Number(length) > MAX_IDENTIFIER || scanner.at > scanner.text.length) return undefined;
  const identifier = scanner.text.slice(start, scanner.at);
  return identifier.startsWith('_GLOBAL__N_') ? '(anonymous namespace)' : identifier;
}

/** From I to behind its E. */
function skipTemplateArguments(scanner: Scanner): void {
  skipUntilE(scanner, skipArgument);
}

function skipUntilE(scanner: Scanner, skipOne: (scanner: Scanner) => void): void {
  scanner.at++;
  while (peek(scanner) !== 'E' && !failed(scanner)) skipOne(scanner);
  scanner.at++;
}

function skipArgument(scanner: Scanner): void {
  if (peek(scanner) === 'L') skipLiteral(scanner);
  else if (peek(scanner) === 'J') skipUntilE(scanner, skipArgument);
  else skipType(scanner);
}

/** L, a type, a number, E. */
function skipLiteral(scanner: Scanner): void {
  scanner.at++;
  skipType(scanner);
  while (/[n\d]/.test(peek(scanner))) scanner.at++;
  if (peek(scanner) === 'E') scanner.at++;
  else fail(scanner);
}

function skipType(scanner: Scanner): void {
  const character = peek(scanner);
  if (/[PRKOVr]/.test(character)) {
    scanner.at++;
    skipType(scanner);
  } else if (character === 'N') skipUntilE(scanner, skipPartOfType);
  else if (character === 'F') skipUntilE(scanner, skipType);
  else if (/[STA\d]/.test(character)) skipPartOfType(scanner);
  else if (/[a-z]/.test(character)) scanner.at++;
  else fail(scanner);
}

/** An identifier, with its template's arguments, or what stands for one that came before. */
function skipPartOfType(scanner: Scanner): void {
  const rest = scanner.text.slice(scanner.at);
  const before = /^(?:S[tabsiod]|[ST][0-9A-Z]*_|A\d*_|[KVR])/.exec(rest)?.[0];
  if (before !== undefined) {
    scanner.at += before.length;
    if (before === 'St' || before.startsWith('A')) skipType(scanner);
  } else if (/^\d/.test(rest)) plainPart(scanner);
  else if (peek(scanner) !== 'I') fail(scanner);
  if (peek(scanner) === 'I') skipTemplateArguments(scanner);
}

function peek({ text, at }: Scanner): string {
  return text[at] ?? '';
}

/** Nothing more is found from here on. */
function fail(scanner: Scanner): void {
  scanner.at = scanner.text.length + 1;
}

function failed({ text, at }: Scanner): boolean {
  return at > text.length;
}
