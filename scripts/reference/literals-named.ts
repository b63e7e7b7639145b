/**
 * Every text that the source can put where a name says so: by the types of properties, parameters and variables of that name, and of
 * what is given to them. So a reason is found whether it is a member of a union, an argument, or stands in an object.
 */
import ts from 'typescript';

export function literalsNamed(
  files: readonly string[],
  names: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const options: ts.CompilerOptions = {
    ...{ target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.NodeNext, strict: true, noEmit: true },
    ...{ allowImportingTsExtensions: true, exactOptionalPropertyTypes: true, skipLibCheck: true },
    types: ['node'],
  };
  const program = ts.createProgram([...files], options);
  const checker = program.getTypeChecker();
  const wanted = new Map(
    Object.entries(names).flatMap(([as, all]) => all.map((name) => [name, as] as const)),
  );
  const found = new Map(Object.keys(names).map((as) => [as, new Set<string>()]));
  const collect = (name: string, node: ts.Node): void => {
    const into = found.get(wanted.get(name) ?? '');
    if (into) for (const text of textsOf(checker.getTypeAtLocation(node))) into.add(text);
  };
  const visit = (node: ts.Node): void => {
    if (isNamed(node) && ts.isIdentifier(node.name)) {
      collect(node.name.text, node);
      const given = givenTo(node);
      if (given) collect(node.name.text, given);
    }
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      checker.getResolvedSignature(node)?.parameters.forEach(({ name }, at) => {
        const argument = node.arguments?.[at];
        if (argument) collect(name, argument);
      });
    }
    ts.forEachChild(node, visit);
  };
  const ours = new Set(files.map((file) => ts.sys.resolvePath(file)));
  for (const source of program.getSourceFiles())
    if (ours.has(ts.sys.resolvePath(source.fileName))) visit(source);
  return found;
}

type Named =
  | ts.PropertySignature
  | ts.PropertyDeclaration
  | ts.ParameterDeclaration
  | ts.PropertyAssignment
  | ts.ShorthandPropertyAssignment
  | ts.VariableDeclaration;

const isNamed = (node: ts.Node): node is Named =>
  ts.isPropertySignature(node) ||
  ts.isPropertyDeclaration(node) ||
  ts.isParameter(node) ||
  ts.isPropertyAssignment(node) ||
  ts.isShorthandPropertyAssignment(node) ||
  ts.isVariableDeclaration(node);

function givenTo(node: Named): ts.Expression | undefined {
  return ts.isPropertySignature(node) || ts.isShorthandPropertyAssignment(node)
    ? undefined
    : node.initializer;
}

function textsOf(type: ts.Type): readonly string[] {
  if (type.isStringLiteral()) return [type.value];
  return type.isUnion() ? type.types.flatMap(textsOf) : [];
}
