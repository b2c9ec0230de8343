// The bands of the architecture: imports go down only (docs/architecture.md). A folder imports from lower bands,
// and within its band from folders to its left; sibling features (band D) do not import each other.
const bands = [
  ['base', 'errors', 'config', 'observe'],
  ['model', 'http1', 'http2', 'exchange'],
  ['redis', 'store', 'upstream'],
  ['routing', 'balancing', 'health', 'limits', 'queue', 'certs', 'auth'],
  ['engine', 'pipeline', 'listener', 'stream'],
  ['proxy', 'library', 'management', 'cli', 'bin'],
];
const apart = new Set(['routing', 'balancing', 'health', 'limits', 'queue', 'certs', 'auth']);
const inside = (folders) => `^src/(${folders.join('|')})/`;

const forbidden = [
  { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  {
    name: 'no-orphans',
    severity: 'error',
    from: { orphan: true, path: '^src/', pathNot: ['^src/bin/', '^src/index\\.ts$', '\\.d\\.ts$'] },
    to: {},
  },
  {
    name: 'nothing-from-tests',
    comment: 'the product must not import its tests',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(test|scripts)/' },
  },
  {
    name: 'listener-and-pipeline-apart',
    comment: 'a listener is given handle(exchange) by the composition root',
    severity: 'error',
    from: { path: '^src/listener/' },
    to: { path: '^src/(pipeline|engine)/' },
  },
  {
    name: 'commands-are-loaded-when-called',
    comment: 'a node that serves needs no command but `serve`',
    severity: 'error',
    from: { path: '^src/(bin|cli/(main|cli|asks-fleet|program/.*))' },
    to: {
      path: '^src/(management|store|cli/(commands|fleet|session|run-with-fleet))',
      dynamic: false,
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'features-know-no-http',
    severity: 'error',
    from: { path: inside(bands[3]) },
    to: { path: '^src/(http1|http2|exchange)/' },
  },
];
bands.forEach((band, level) => {
  band.forEach((folder, place) => {
    const above = bands.slice(level + 1).flat();
    const right = apart.has(folder) ? band.filter((other) => other !== folder) : band.slice(place + 1);
    const refused = [...above, ...right];
    if (refused.length > 0) {
      forbidden.push({
        name: `${folder}-imports-down`,
        severity: 'error',
        from: { path: `^src/${folder}/` },
        to: { path: inside(refused) },
      });
    }
  });
});

module.exports = {
  forbidden,
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'] },
  },
};
