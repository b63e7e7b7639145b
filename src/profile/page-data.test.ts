import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollapsed } from './collapsed.ts';
import { diffTree } from './diff.ts';
import { pageData } from './page-data.ts';
import { packSites, unpackSites } from './page-sites.ts';
import { packColumns, unpackColumns } from './page-tree.ts';

const SIDES = { baseline: 'baseline', canary: 'canary' };
const view = (baseline: string, canary: string) => ({
  ...{ id: 'cpu', label: 'CPU', group: 'The service', what: 'CPU' },
  ...{ baseline: parseCollapsed(baseline), canary: parseCollapsed(canary) },
});

test('places travel with their frames, however many a frame has', () => {
  const at = (place: string, count: number) => ({ frames: ['leaf', 'main'], places: [place, ''], count });
  const once = { frames: ['other', 'main'], places: ['B.kt:1', 'Main.kt:3'], count: 4 };
  const tree = diffTree([at('A.kt:1', 3), at('A.kt:2', 5), once], [at('A.kt:2', 7), once]);

  const unpacked = unpackSites(packSites(tree), tree);

  for (const [node, sites] of tree.sites.entries())
    assert.deepEqual(unpacked[node] ?? [], sites, String(node));
});

test('depths and counts of any tree come back as they were, and of chains are small', () => {
  const trees = [
    diffTree([], []),
    diffTree(
      parseCollapsed('main;a;b;c 5\nmain;a;x 0\nmain;z 3\nother 1'),
      parseCollapsed('main;a;b 2\nnew;old 4'),
    ),
    diffTree(
      [
        { frames: ['leaf', 'main'], count: 2 ** 60 },
        { frames: ['main'], count: 0.1 },
      ],
      [],
    ),
  ];

  for (const { depth, baseline, canary } of trees) {
    assert.deepEqual(unpackColumns(packColumns({ depth, baseline, canary })), { depth, baseline, canary });
  }
  assert.deepEqual(packColumns(diffTree(parseCollapsed('main;a;b 50'), parseCollapsed('main 70'))), {
    depth: [0, 1, 1, 1],
    baseline: [50, 0, 0, 0],
    canary: [70, 0, -1, 0],
  });
});

test('all views share one list of names, and have the functions a verdict names by the names they have', () => {
  const data = pageData({
    views: [view('main;a 5', 'main;a 9'), { ...view('main;b 1', 'main;b 1'), id: 'waiting' }],
    ...{ sides: SIDES, culprits: ['a', 'nobody'], beginsRaw: false },
  });

  assert.deepEqual(data.names, ['all', 'main', 'a', 'b']);
  assert.deepEqual(
    data.views.map(({ id, raw, folded }) => [id, raw.culprits, folded]),
    [
      ['cpu', [2, -1], undefined],
      ['waiting', [-1, -1], undefined],
    ],
  );
});

test('functions are told with their own samples and with their callees', () => {
  const { views, names } = pageData({
    views: [view('main;a 5\nmain;a;b 1', 'main;a 9\nmain 1')],
    ...{ sides: SIDES, culprits: [], beginsRaw: false },
  });
  const table = views[0]?.raw.functions;

  const rows = table?.name.map((name, row) => [
    names[name],
    ...[table.baselineSelf, table.canarySelf, table.baselineTotal, table.canaryTotal].map(
      (column) => column[row],
    ),
  ]);
  assert.deepEqual(rows, [
    ['b', 1, 0, 1, 0],
    ['main', 0, 1, 6, 10],
    ['a', 5, 9, 6, 9],
  ]);
});
