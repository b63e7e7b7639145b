/**
 * Bundles the three programs into dist/: the agent with everything in it, controller and cli with npm packages left outside,
 * the cli in pieces.
 */
import { rmSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'external', // beside the bundle, for us; the images leave it out
  logLevel: 'warning',
};

rmSync('dist/cli', { recursive: true, force: true }); // its pieces are named by what is in them

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
  build({
    ...common,
    entryPoints: ['src/controller/main.ts'],
    outfile: 'dist/controller/main.mjs',
    packages: 'external',
  }),
  build({
    ...common,
    entryPoints: ['src/cli/main.ts'],
    outdir: 'dist/cli',
    outExtension: { '.js': '.mjs' },
    splitting: true, // each command loads what it needs
    packages: 'external',
  }),
]);
