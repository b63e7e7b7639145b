// The arrows of ARCHITECTURE.md: who may know whom. Tests may know everybody.
const ARROWS = {
  crds: [],
  profile: [],
  requests: ['profile'],
  symbols: ['profile'],
  jvm: ['profile', 'symbols'],
  detect: ['profile', 'requests'],
  wire: ['crds', 'profile', 'requests'],
  backends: ['requests'],
  native: [],
  kube: [],
  store: ['profile', 'requests', 'wire'],
  agent: ['profile', 'requests', 'symbols', 'jvm', 'wire', 'native'],
  controller: ['crds', 'profile', 'requests', 'detect', 'store', 'wire', 'kube', 'backends'],
  cli: ['crds', 'profile', 'requests', 'detect', 'store', 'wire', 'kube', 'agent'],
};
const TESTS = '(\\.test\\.ts$|-fixture\\.ts$|/testing/)';
const PURE = '^(src/(crds|profile|requests|detect|symbols|jvm|wire)|web)/';

const arrows = Object.entries(ARROWS).map(([room, known]) => ({
  name: `arrow-${room}`,
  comment: `src/${room} may import ${known.length === 0 ? 'no other room' : known.map((name) => `src/${name}`).join(', ')}`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: TESTS },
  to: { path: '^(src|web|test|scripts|bench)/', pathNot: `^src/(${[room, ...known].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'arrow-web',
      comment: 'the page imports src/profile only',
      severity: 'error',
      from: { path: '^web/', pathNot: TESTS },
      to: { path: '^(src|test|scripts|bench)/', pathNot: '^src/profile/' },
    },
    {
      name: 'pure-rooms-have-no-node',
      comment: 'pure rooms take now, random and read as arguments; Node is for the edges',
      severity: 'error',
      from: { path: PURE, pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-rooms-have-few-packages',
      comment:
        'schemas, their validator, two statistical tables and the wire format of protobuf; nothing that does I/O',
      severity: 'error',
      from: { path: PURE, pathNot: TESTS },
      to: {
        path: 'node_modules/',
        pathNot: 'node_modules/(ajv|@sinclair/typebox|@stdlib|pbf)/',
      },
    },
    {
      name: 'agent-loads-nothing-heavy',
      comment:
        'client-node alone costs 70 MB in every node (scripts/agent-runtime.test.ts follows what src/agent reaches)',
      severity: 'error',
      from: { path: '^src/(agent|native|symbols|jvm)/', pathNot: TESTS },
      to: {
        path: 'node_modules/(@kubernetes/client-node|@dot-i|ajv|@sinclair/typebox)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-circles',
      comment: 'two files that need each other are one idea; type-only circles are harmless',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-development-packages',
      comment: 'what ships may only import what ships',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-unresolvable',
      comment: 'the import leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
