/** Child process of the kill test: stores batches until killed, naming each on stdout once it is acknowledged. */
import { writeSync } from 'node:fs';
import { openStore } from '../window-store.ts';
import { aBatch, aPodWindow, EPOCH_MS } from './a-batch.ts';

const [, , path = ''] = process.argv;
const store = openStore(path, { now: () => EPOCH_MS });
for (let sequence = 0; ; sequence++) {
  const names = Array.from({ length: 20 }, (_, index) => `function${(sequence * 7 + index) % 500}`);
  store.addBatch(
    aBatch({
      sequence,
      strings: names,
      stacks: names.map((_, index) => [index, (index + 1) % names.length]),
      pods: [aPodWindow({ samples: 20, counts: names.map((_, index) => [index, 1]) })],
    }),
  );
  writeSync(1, `${sequence}\n`);
}
