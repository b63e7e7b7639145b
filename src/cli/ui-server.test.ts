/** The way of a browser to the controller's pages, and of nobody else. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { CliError } from './cli-error.ts';
import { startUi } from './ui-server.ts';

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const asks = (
  url: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const outgoing = request(url, { headers, method }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    outgoing.once('error', reject);
    outgoing.end();
  });

async function aUi(t: TestContext) {
  const asked: string[] = [];
  const ui = await startUi({
    controller: {
      get: async (path) => {
        asked.push(path);
        if (path.includes('gone'))
          throw new CliError('CONTROLLER_REFUSED', 'the controller answered 404: \u001b[31m');
        return Buffer.from('<!doctype html>gates');
      },
    },
    ...{ namespace: 'shop', port: 0 },
  });
  t.after(() => ui.stop());
  const first = await asks(ui.url);
  const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
  return { asked, first, cookie, url: ui.url, origin: new URL(ui.url).origin };
}

test('the printed address leads to the gates, by a cookie of this site alone', async (t) => {
  const { asked, first, cookie, origin } = await aUi(t);

  assert.deepEqual([first.status, first.headers['location']], [303, '/gates/v1/shop']);
  assert.match(String(first.headers['set-cookie']), /; HttpOnly; SameSite=Strict; Path=\/$/);
  const page = await asks(`${origin}/reports/v1/shop/orders-1/flamegraph?nav=1`, { cookie });
  assert.deepEqual([page.status, page.text], [200, '<!doctype html>gates']);
  assert.equal(page.headers['content-security-policy'], "frame-ancestors 'none'");
  assert.deepEqual(asked, ['/reports/v1/shop/orders-1/flamegraph?nav=1']);
});

test('of all namespaces the printed address leads to the page of all', async (t) => {
  const asked: string[] = [];
  const controller = {
    get: async (path: string) => {
      asked.push(path);
      return Buffer.from('all');
    },
  };
  const ui = await startUi({ controller, namespace: undefined, port: 0 });
  t.after(() => ui.stop());
  const first = await asks(ui.url);
  const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';

  const page = await asks(`${new URL(ui.url).origin}${first.headers['location']}`, { cookie });

  assert.deepEqual([page.status, page.text, asked], [200, 'all', ['/gates/v1']]);
});

test('nothing is asked of the controller without the key, under another name, or outside of its pages', async (t) => {
  const { asked, cookie, origin } = await aUi(t);

  const statuses = await Promise.all([
    asks(`${origin}/gates/v1/shop`),
    asks(`${origin}/?key=guess`),
    asks(`${origin}/gates/v1/shop`, { cookie: 'flamegate-key=guess' }),
    asks(`${origin}/gates/v1/shop`, { cookie, host: 'evil.example' }),
    asks(`${origin}/gates/v1/shop`, { cookie }, 'POST'),
    asks(`${origin}/windows/v1/shop?selector=app`, { cookie }),
    asks(`${origin}/gates/v1/../../api/v1`, { cookie }),
  ]);

  assert.deepEqual(
    statuses.map(({ status }) => status),
    [403, 403, 403, 403, 405, 404, 404],
  );
  assert.deepEqual(asked, []);
});

test("the controller's no is shown with its code, and obeys nobody", async (t) => {
  const { cookie, origin } = await aUi(t);

  const { status, text } = await asks(`${origin}/reports/v1/shop/gone/flamegraph`, { cookie });

  assert.deepEqual([status, text], [502, 'CONTROLLER_REFUSED: the controller answered 404: \\u{1b}[31m\n']);
});

test('a port that is taken is said', async (t) => {
  const { origin } = await aUi(t);
  const port = Number(new URL(origin).port);

  await assert.rejects(
    startUi({ controller: { get: async () => Buffer.alloc(0) }, namespace: 'shop', port }),
    {
      code: 'UI_PORT_UNAVAILABLE',
    },
  );
});
