import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isClose, readReference } from '../../test/reference/read-reference.ts';
import { type ShareScore, shareScore } from './deviance.ts';

test('the score is the signed root of scipy’s likelihood ratio of the table', () => {
  for (const { args, expected } of readReference<[number, number, number, number], ShareScore>(
    'shareScore',
  )) {
    const [canary, canaryRest, baseline, baselineRest] = args;

    const actual = shareScore(
      { samples: canary, rest: canaryRest },
      { samples: baseline, rest: baselineRest },
    );

    assert.ok(isClose(actual.z, expected.z), `${args}: z ${actual.z}, scipy ${expected.z}`);
    assert.ok(isClose(actual.information, expected.information), `${args}: ${actual.information}`);
  }
});

test('an empty arm, or a frame on every stack, scores nothing', () => {
  const nothing = { z: 0, information: 0 };

  assert.deepEqual(shareScore({ samples: 0, rest: 0 }, { samples: 5, rest: 5 }), nothing);
  assert.deepEqual(shareScore({ samples: 9, rest: 0 }, { samples: 5, rest: 0 }), nothing);
});
