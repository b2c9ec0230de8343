import { expect, it } from 'vitest';
import { importNginx } from '../../../src/cli/import/nginx.js';

it('takes servers with their names, prefixes, upstreams, weights and backups', () => {
  const { document, warnings } = importNginx(
    `
    # a comment; with { signs }
    http {
      upstream shop { least_conn; server 10.0.0.1:3000 weight=3; server 10.0.0.2:3000 backup; server 10.0.0.3 down; keepalive 64; }
      server {
        listen 443 ssl default_server;
        server_name Shop.example .other.example;
        location / { proxy_pass http://shop; proxy_set_header Host $host; }
        location ^~ /api/ { proxy_pass "http://10.0.0.9:8080/"; }
        location ~ \\.php$ { fastcgi_pass unix:/run/php.sock; }
      }
      server { server_name tls.example; location / { proxy_pass https://10.0.0.5; } }
    }`,
    'nginx.conf',
  );
  const shop = {
    strategy: 'LEAST_CONNECTIONS',
    backends: [
      { hostname: '10.0.0.1', port: 3000, weight: 3 },
      { hostname: '10.0.0.2', port: 3000, backup: true },
    ],
  };
  const api = { strategy: 'ROUND_ROBIN', backends: [{ hostname: '10.0.0.9', port: 8080 }], stripPrefix: true };
  const hosts = ['shop.example', 'other.example', '*.other.example', '*'];
  expect(document).toEqual({
    cjsProxy: 1,
    routes: {
      ...Object.fromEntries(hosts.map((host) => [host, { id: host, ...shop }])),
      ...Object.fromEntries(hosts.map((host) => [`${host}/api`, { id: `${host}/api`, ...api }])),
      'tls.example': {
        id: 'tls.example',
        strategy: 'ROUND_ROBIN',
        backends: [{ hostname: '10.0.0.5', port: 443, protocol: 'https' }],
      },
    },
  });
  expect(warnings).toEqual([
    'nginx.conf:4: server 10.0.0.3 down is left out: 10.0.0.3 is down',
    'nginx.conf:10: location ~ \\.php$ is left out: only prefixes are taken over',
  ]);
});

it('takes lists of hosts, of their own and in a map', () => {
  const { document, warnings } = importNginx(
    'map $host $backend {\n  hostnames;\n  default 10.0.0.1:80;\n  a.example 10.0.0.2:3000;\n}\n*.b.example http://10.0.0.3 unix:/run/b.sock;\n~^c 10.0.0.4;\n',
    'hosts',
  );
  expect(Object.keys(document.routes as object)).toEqual(['*', 'a.example', '*.b.example']);
  expect(document.routes).toMatchObject({
    '*.b.example': { backends: [{ hostname: '10.0.0.3', port: 80 }, { socket: '/run/b.sock' }] },
  });
  expect(warnings).toEqual(['hosts:7: ~^c is left out: the name ~^c is no host and no *.suffix: write it as a pattern']);
});

it.each([
  ['server { server_name a.test;', 'hosts:1: the block is not closed'],
  ['a.test 10.0.0.1', 'hosts:1: "a.test" has no ; behind it'],
  ['a.test "10.0.0.1;', 'hosts:1: a quote is not closed'],
  ['\n}', 'hosts:2: } comes unexpectedly'],
  ['worker_processes 4;', 'hosts has no host with a backend'],
])('refuses %j', (text, message) => {
  expect(() => importNginx(text, 'hosts')).toThrow(message);
});
