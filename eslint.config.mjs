// Only what needs types, and the limits of CONTRIBUTING.md; everything else is Biome's.
import tseslint from 'typescript-eslint';

// biome-ignore lint/style/noDefaultExport: ESLint asks for it
export default tseslint.config({
  files: ['src/**/*.ts', 'web/**/*.ts', 'scripts/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
  extends: [tseslint.configs.base],
  languageOptions: { parserOptions: { projectService: true } },
  rules: {
    '@typescript-eslint/no-floating-promises': [
      'error',
      {
        allowForKnownSafeCalls: [
          {
            from: 'package',
            package: 'node:test',
            name: ['test', 'describe', 'it', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
          },
        ],
      },
    ],
    '@typescript-eslint/no-misused-promises': 'error',
    '@typescript-eslint/await-thenable': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': [
      'error',
      { allowDefaultCaseForExhaustiveSwitch: false, considerDefaultExhaustiveForUnions: false },
    ],
    '@typescript-eslint/no-unnecessary-condition': 'error',
    '@typescript-eslint/only-throw-error': 'error',
    'max-params': ['error', 4],
    'max-depth': ['error', 3],
    'max-lines': ['error', 400],
  },
});
