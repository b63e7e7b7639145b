import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type JavaMethod, javaFrame } from './java-frame.ts';
import { aJvm, hotspotOf, jdkHome, RELEASES } from './testing/a-jvm.ts';
import { loadedClass, methodsOf } from './testing/loaded-classes.ts';

for (const release of RELEASES) {
  test(`methods of JDK ${release} have the names, the file and the lines that javap gives them`, async (t) => {
    const jvm = await aJvm(t, release);
    const hotspot = hotspotOf(jvm);
    const klass = loadedClass(jvm.read, hotspot.structs, 'Waiting');

    const methods = methodsOf(jvm.read, hotspot, klass);

    const expected = linesByMethod(jvm.classes);
    const excluded = release === 17 ? 0 : 1;
    const found = methods.map((method) => {
      const lines = [...(expected.get(method.name)?.keys() ?? [])].map(
        (bci) => [bci, javaFrame(method, bci, excluded).line] as const,
      );
      return [method.name, new Map(lines)] as const;
    });
    assert.deepEqual(new Map(found), expected);
    assert.deepEqual(
      methods.map((method) => javaFrame(method, 0, excluded).name).toSorted(),
      [...expected.keys()].map((name) => `Waiting.${name}`).toSorted(),
    );
    assert(methods.every((method) => javaFrame(method, 0, excluded).file === 'Waiting.java'));
  });
}

const TABLE = Uint8Array.from([(3 << 3) | 2, (4 << 3) | 1, 0]);
const METHOD: JavaMethod = { holder: 'shop/Codec', name: 'decode', sourceFile: 'Codec.kt', lineTable: TABLE };

test('a bytecode is of the last line that begins at or before it', () => {
  const lineOf = (bci: number) => javaFrame(METHOD, bci, 0).line;

  assert.deepEqual([lineOf(2), lineOf(3), lineOf(6), lineOf(7), lineOf(500)], [undefined, 2, 2, 3, 3]);
});

test('an unknown place has no line', () => {
  assert.equal(javaFrame(METHOD, undefined, 0).line, undefined);
});

test('a method without debug information has neither file nor line', () => {
  const frame = javaFrame({ ...METHOD, sourceFile: '', lineTable: new Uint8Array() }, 4, 1);

  assert.deepEqual(frame, { name: 'shop.Codec.decode', file: undefined, line: undefined });
});

/** From javap: a method's lines by the bytecode they begin at. */
function linesByMethod(classes: string): Map<string, Map<number, number>> {
  const text = execFileSync(`${jdkHome(17)}/bin/javap`, ['-p', '-l', '-cp', classes, 'Waiting'], {
    encoding: 'utf8',
  });
  const methods = text.split(/\n(?= {2}\S)/).slice(1);
  return new Map(
    methods.map((method) => {
      const name = /(\S+)\(/.exec(method)?.[1] ?? '';
      const lines = [...method.matchAll(/line (\d+): (\d+)/g)];
      const byBci = new Map(lines.map(([, line, bci]) => [Number(bci), Number(line)]));
      return [name === 'Waiting' ? '<init>' : name, byBci];
    }),
  );
}
