// Whatever stands in Redis: every reader of records gives a value or says what is wrong, in short clean lines, and takes no time over it.
import fc from 'fast-check';
import { loadConfig } from '../../../src/config/load.js';
import type { StreamConfig } from '../../../src/config/stream-config.js';
import { parseAuthProvider } from '../../../src/model/auth-provider.js';
import { parseCertificate } from '../../../src/model/certificate.js';
import { parseHealthcheck } from '../../../src/model/healthcheck.js';
import { parseHeartbeat } from '../../../src/model/node.js';
import { policyFields } from '../../../src/model/policy/policy.js';
import type { StoredRecord } from '../../../src/model/record-kind.js';
import { parseStream } from '../../../src/model/stream.js';
import { parseTier } from '../../../src/model/tier.js';
import { compileRoute } from '../../../src/routing/compile-route.js';
import { PatternList } from '../../../src/routing/pattern-list.js';
import { parseRecord } from '../../../src/store/redis-record.js';
import { fuzzPart } from '../part.js';
import { anyBytes, holds } from '../texts.js';

/** A text that need not be written out: a piece, so many times. */
interface Repeated {
  readonly piece: string;
  readonly times: number;
}
type Value = string | Repeated;

const written = (value: Value): string => (typeof value === 'string' ? value : value.piece.repeat(value.times));

const names = [
  ...Object.keys(policyFields),
  ...[
    'points',
    'duration',
    'burst',
    'cost',
    'scope',
    'path',
    'status',
    'body',
    'interval',
    'type',
    'user:a',
    'token:a',
    'url',
    'jwks',
    'certificate',
    'key',
  ],
  ...[
    'mode',
    'maxConnections',
    'framing',
    'connections',
    'boot',
    'phase',
    'addresses',
    'workers',
    'constructor',
    '__proto__',
    'toString',
    '',
  ],
];
const values: fc.Arbitrary<Value> = fc.oneof(
  anyBytes(30),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    'http://10.0.0.1:80',
    'https://a#weight=2',
    'tcp://a:1',
    'unix:/x',
    'tls://a:2',
    'h:99999',
    'http://[::1]:80',
    'http://a#id=x&weight=-1',
    '/(a+)+$/',
    '*.example.com',
  ),
  fc.constantFrom(
    'true',
    '0',
    '-1',
    '1e999',
    '30s',
    '9007199254740993',
    'NaN',
    'null',
    '[]',
    '{}',
    '""',
    'IP_HASH',
    'basic',
    'jwt',
    'bearer',
    'http',
    'callback',
    '[1',
  ),
  fc.constantFrom(
    '{"__proto__":{"x":1}}',
    '{"add":{"a\\r\\nb":"c"}}',
    '{"hostname":"*","to":"frontend:a"}',
    '{"hostname":"/(a*)*b/","to":80}',
    '{"kind":"resp"}',
  ),
  fc.record({
    piece: fc.oneof(anyBytes(4), fc.constantFrom('[', '{"a":', 'a', '(a+)+', '*', '?', 'x,', ' ', '\n', '1', '%', '/..')),
    times: fc.integer({ min: 2, max: 200_000 }),
  }),
);

interface RecordCase {
  readonly kind: (typeof kinds)[number];
  readonly values: readonly Value[];
}
const kinds = [
  'list',
  'policy',
  'marks',
  'dead',
  'tier',
  'healthcheck',
  'auth',
  'tls',
  'stream',
  'targets',
  'patterns',
  'heartbeat',
] as const;

const pairs = fc.array(
  fc.tuple(fc.oneof({ arbitrary: fc.constantFrom(...names), weight: 4 }, { arbitrary: values, weight: 1 }), values),
  { maxLength: 6 },
);

const config = loadConfig({
  env: {},
  root: false,
  settings: { driver: 'memory:', streams: [{ name: 's', port: 1, targets: ['tcp://127.0.0.1:1'] }] },
});

/** The reply to a scan that went all the way. */
const scan = ([error, found]: [null, readonly string[]]): [null, [string, readonly string[]]] => [error, ['0', found]];

/** Gives the faults that a reader found. */
function read(kind: RecordCase['kind'], texts: readonly string[]): readonly string[] {
  const record: StoredRecord = { values: texts, fault: '' };
  switch (kind) {
    case 'list':
    case 'policy':
    case 'marks':
    case 'dead': {
      const notes: string[] = [];
      const own = (one: RecordCase['kind'], otherwise: readonly string[]): [null, readonly string[]] => [
        null,
        one === kind ? texts : otherwise,
      ];
      const replies = {
        list: own('list', ['id', 'http://10.0.0.1:80', 'http://10.0.0.2:80']),
        dead: scan(own('dead', ['0'])),
        deadTtl: [null, 30] as const,
        health: scan(own('marks', [])),
        policy: scan(own('policy', [])),
      };
      const parsed = parseRecord('example.com', replies, 1_000, (text) => notes.push(text));
      const { faults, route } = compileRoute('example.com', [parsed]);
      return [...notes, ...faults, route.fault];
    }
    case 'tier':
      return parseTier('t', record).faults;
    case 'healthcheck':
      return parseHealthcheck(record).faults;
    case 'auth': {
      const parsed = parseAuthProvider(record);
      return parsed.kind === 'faulty' ? parsed.faults : [];
    }
    case 'tls': {
      const parsed = parseCertificate('example.com', record, (pem) => pem, 1_000);
      return [...parsed.faults, ...parsed.warnings];
    }
    case 'stream':
      return parseStream(config.streams[0] as StreamConfig, record, { values: [], fault: '' }).faults;
    case 'targets':
      return parseStream(config.streams[0] as StreamConfig, { values: [], fault: '' }, record).faults;
    case 'patterns': {
      const list = new PatternList(record);
      list.match(`${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`, true);
      return list.faults;
    }
    case 'heartbeat':
      parseHeartbeat('n', texts);
      return [];
  }
}

/** Milliseconds of the processor. Reading a megabyte takes a hundredth of it. */
const mostTime = 1_500;
/** Characters of a fault. */
const longest = 1_000;

export const records = fuzzPart<RecordCase>({
  name: 'records',
  cases: fc.record({ kind: fc.constantFrom(...kinds), values: pairs.map((all) => all.flat()) }),
  check: ({ kind, values: made }) => {
    const texts = made.map(written);
    const before = process.cpuUsage();
    const faults = read(kind, texts);
    const { user } = process.cpuUsage(before);
    for (const text of faults) {
      holds(`a fault of ${text.length} characters: ${text.slice(0, 80)}`, text.length <= longest);
      holds(`a fault with control characters: ${JSON.stringify(text)}`, !/[\0-\x1f]/.test(text));
    }
    holds(`reading took ${user / 1000} ms`, user / 1000 < mostTime);
  },
  perSecond: 120,
});
