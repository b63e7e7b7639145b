/** Bundles the three programs into dist/: the agent with everything in it, controller and cli with npm packages left outside. */
import { type BuildOptions, build } from 'esbuild';

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'external', // beside the bundle, for us; the images leave it out
  logLevel: 'warning',
};

await Promise.all([
  build({
    ...common,
    entryPoints: ['src/agent/main.ts'],
    outfile: 'dist/agent/main.mjs',
    external: ['*.node'],
    // CommonJS packages in an ES module bundle still call require() for Node's own modules.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  }),
  ...['controller', 'cli'].map((program) =>
    build({
      ...common,
      entryPoints: [`src/${program}/main.ts`],
      outfile: `dist/${program}/main.mjs`,
      packages: 'external',
    }),
  ),
]);
