import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathSegments, wordOrId } from './path-segments.ts';
import { RouteLabels } from './route-labels.ts';
import { MOST_ROUTES, MOST_WORDS, RouteTree, segmentsOf } from './route-tree.ts';

const routeOf = (target: string): string => new RouteLabels().labelOf(target, true).route;

const ROUTES: readonly (readonly [string, string])[] = [
  ['/', '/'],
  ['/orders', '/orders'],
  ['/orders/', '/orders'],
  ['//orders//4711?expand=items#top', '/orders/{}'],
  ['/users/6f1c9a52-9a3e-4a3b-8c11-0d2f5b7f9e10/cart', '/users/{}/cart'],
  ['/blobs/deadbeef0badcafe', '/blobs/{}'],
  ['/sessions/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9', '/sessions/{}'],
  ['/files/dGhpcyBpcyBhIHRva2Vu', '/files/{}'],
  ['/mail/jane%40example.com', '/mail/{}'],
  ['/search/caf%C3%A9%20noir', '/search/{}'],
  ['/broken/%ff%fe', '/broken/{}'],
  ['/reports/2026-11-25', '/reports/{}'],
  ['/api/v1/oauth2/token', '/api/v1/oauth2/token'],
  ['/cart;jsessionid=A1B2C3D4/items', '/cart/items'],
  ['/shop.Orders/ListOpenOrdersForCustomer', '/shop.Orders/ListOpenOrdersForCustomer'],
  ['/kebab-case-words-in-a-long-segment', '/kebab-case-words-in-a-long-segment'],
  ['http://shop.example/orders/17', '/orders/{}'],
  ['http://shop.example', '/'],
  ['/a/b/c/d/e/f/g/h/i/j', '/a/b/c/d/e/f/g/h/**'],
  ['/../../etc', '/{}/{}/etc'],
  ['*', 'other'],
  ['shop.example:443', 'other'],
  ['\u0000\u0001', 'other'],
];

for (const [target, route] of ROUTES) {
  test(`${JSON.stringify(target)} is of route ${route}`, () => assert.equal(routeOf(target), route));
}

test("a user's pattern comes first, in the order it is written", () => {
  const labels = new RouteLabels(['/orders/open', '/orders/{id}', '/static/**']);

  const given = ['/orders/open', '/orders/abc?x=1', '/static/a/b.css', '/orders/abc/items'].map((target) =>
    labels.labelOf(target, true),
  );

  assert.deepEqual(given, [
    { route: '/orders/open', byPattern: true },
    { route: '/orders/{id}', byPattern: true },
    { route: '/static/**', byPattern: true },
    { route: '/orders/abc/items', byPattern: false },
  ]);
  assert.throws(() => new RouteLabels(['orders/{id}']), /is no route/);
});

test('names without the shape of an id become * once there are too many at one place', () => {
  const labels = new RouteLabels();
  const name = (at: number): string => `${String.fromCharCode(97 + (at % 26))}user`;
  for (let at = 0; at <= MOST_WORDS; at++) labels.labelOf(`/users/${name(at)}/cart`, true);

  assert.equal(labels.labelOf('/users/anybody/cart', true).route, '/users/*/cart');
  assert.equal(labels.asOfNow({ route: '/users/auser/cart', byPattern: false }).route, '/users/*/cart');
});

test('what is not found makes no route, and known routes keep their failures', () => {
  const labels = new RouteLabels();
  labels.labelOf('/orders/17', true);

  for (let at = 0; at < 1_000; at++) labels.labelOf(`/scan${String.fromCharCode(97 + (at % 26))}/x`, false);

  assert.equal(labels.labelOf('/wp-admin', false).route, 'other');
  assert.equal(labels.labelOf('/orders/99', false).route, '/orders/{}');
});

test('no target makes it throw, and no label holds what is no word', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (target) => {
      const { route } = new RouteLabels().labelOf(`/${target}`, true);

      assert.match(route, /^other$|^\/$|^(\/([A-Za-z0-9_.~!$'()+,:=-]{1,40}|\{\}|\*\*))+$/);
    }),
  );
});

const word = fc.stringMatching(/^[a-z]{1,2}$/);
const path = fc.array(fc.oneof({ weight: 4, arbitrary: word }, fc.constant('{}')), { maxLength: 10 });
const paths = fc.array(path, { maxLength: 400 });

const treeOf = (list: readonly (readonly string[])[]): RouteTree => {
  const tree = new RouteTree();
  for (const segments of list) tree.learn(segments);
  return tree;
};

test('routes are bounded, whatever is asked for', () => {
  fc.assert(
    fc.property(paths, (list) => {
      assert.ok(treeOf(list).routes().length <= MOST_ROUTES);
    }),
  );
});

test('while there is room for all routes, their order does not matter', () => {
  const few = fc.array(fc.array(word, { maxLength: 2 }), { maxLength: 60 });
  fc.assert(
    fc.property(few, fc.infiniteStream(fc.nat()), (list, randoms) => {
      const shuffled = list
        .map((segments) => ({ segments, rank: randoms.next().value as number }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ segments }) => segments);

      assert.deepEqual(treeOf(shuffled).routes(), treeOf(list).routes());
    }),
  );
});

test('two pods that folded differently agree on every path once their routes are merged', () => {
  fc.assert(
    fc.property(paths, paths, (ofA, ofB) => {
      const a = treeOf(ofA);
      const b = treeOf(ofB);
      const both = [...ofA, ...ofB];
      const labels = both.map((segments) => [a.learn(segments), b.learn(segments)] as const);
      const shared = treeOf(labels.flat().map(segmentsOf));

      for (const [byA, byB] of labels) {
        const merged = shared.routeOf(segmentsOf(byA));
        assert.notEqual(merged, undefined);
        assert.equal(shared.routeOf(segmentsOf(byB)), merged);
      }
    }),
  );
});

test('a route stays the same when its segments are read again', () => {
  for (const segment of ['{}', 'orders']) assert.equal(wordOrId(segment), segment === '{}' ? '{}' : 'orders');
  assert.deepEqual(pathSegments('/a/b?c'), ['a', 'b']);
});
