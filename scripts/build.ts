/**
 * Bundles the three programs into dist/: the agent with everything in it, controller and cli with npm packages left outside,
 * the cli in pieces. Of those packages client-node is most of what a controller would hold at rest, nineteen megabytes of
 * classes for an API that is used as plain JSON: it and the operator's base class are bundled apart, without what nobody names.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'external', // beside the bundle, for us; the images leave it out
  logLevel: 'warning',
};

// CommonJS packages in an ES module bundle still call require() for Node's own modules.
const requiring = {
  js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
};

const KUBERNETES: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': 'client-node',
  '@dot-i/k8s-operator': 'k8s-operator',
};
const OURS = new RegExp(`^(?:${Object.keys(KUBERNETES).join('|')})$`);

/** For programs in a directory of dist/. */
const bundledApart: Plugin = {
  name: 'bundled-apart',
  setup({ onResolve }) {
    onResolve({ filter: OURS }, ({ path }) => ({
      path: `../kubernetes/${KUBERNETES[path]}.mjs`,
      external: true,
    }));
  },
};

/**
 * The base class takes client-node as a whole, of which a bundler can leave nothing out. gaxios is loaded when it is called, which
 * nothing here does; inside a bundle it would warn of Node's punycode.
 */
const namedByOperator: Plugin = {
  name: 'named-by-operator',
  setup({ onLoad, onResolve }) {
    const loading =
      'export const instance = { request: async (asked) => (await import("gaxios")).instance.request(asked) };';
    onLoad({ filter: /^gaxios$/, namespace: 'when-called' }, () => ({ contents: loading }));
    onResolve({ filter: /^gaxios$/ }, ({ namespace }) =>
      namespace === 'when-called' ? { external: true } : { path: 'gaxios', namespace: 'when-called' },
    );
    onResolve({ filter: /^@kubernetes\/client-node$/ }, ({ importer }) =>
      importer.includes('/@dot-i/k8s-operator/')
        ? { path: join(import.meta.dirname, 'kubernetes/named-by-operator.ts') }
        : undefined,
    );
  },
};

rmSync('dist/kubernetes', { recursive: true, force: true });
rmSync('dist/cli', { recursive: true, force: true }); // its pieces are named by what is in them

await Promise.all([
  build({
    ...common,
    entryPoints: ['src/agent/main.ts'],
    outfile: 'dist/agent/main.mjs',
    external: ['*.node'],
    banner: requiring,
  }),
  build({
    ...common,
    entryPoints: Object.values(KUBERNETES).map((name) => `scripts/kubernetes/${name}.ts`),
    outdir: 'dist/kubernetes',
    outExtension: { '.js': '.mjs' },
    splitting: true,
    legalComments: 'none', // the images have the licences
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    banner: requiring,
    plugins: [namedByOperator],
  }),
  build({
    ...common,
    entryPoints: ['src/controller/main.ts'],
    outfile: 'dist/controller/main.mjs',
    packages: 'external',
    plugins: [bundledApart],
  }),
  build({
    ...common,
    entryPoints: ['src/cli/main.ts'],
    outdir: 'dist/cli',
    outExtension: { '.js': '.mjs' },
    splitting: true, // each command loads what it needs
    packages: 'external',
    plugins: [bundledApart],
  }),
]);
