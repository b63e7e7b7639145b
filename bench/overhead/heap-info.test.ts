import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUsedHeapMb } from './heap-info.ts';

const JDK_17 = `4711:
 garbage-first heap   total 262144K, used 12288K [0x00000000f0000000, 0x0000000100000000)
  region size 1024K, 3 young (3072K), 2 survivors (2048K)
 Metaspace       used 44861K, committed 45504K, reserved 1114112K
  class space    used 5588K, committed 5888K, reserved 1048576K
`;
const JDK_25 = `4711:
 garbage-first heap   total reserved 262144K, committed 262144K, used 33792K [0x00000000f0000000, 0x0000000100000000)
  region size 1M, 3 eden (3M), 2 survivor (2M), 25 old (25M), 0 humongous (0M), 226 free (226M)
 Metaspace       used 70000K, committed 70528K, reserved 131072K
`;

test('the heap in use is read from JDK 17 and JDK 25, and metaspace is not heap', () => {
  assert.equal(parseUsedHeapMb(JDK_17), 12);
  assert.equal(parseUsedHeapMb(JDK_25), 33);
});

test('the text of another collector is refused with what it was', () => {
  assert.throws(
    () => parseUsedHeapMb('4711:\n def new generation   total 78656K, used 100K'),
    /def new generation/,
  );
});
