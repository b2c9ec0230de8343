// `npm start`: the proxy with two sample backends and sample frontends, in one process, without Redis and without root.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { ConfigError, createProxy, loadConfig, StartError } from '../dist/index.js';

const port = process.env.PORT || '8080';

/** A backend that says who it is and what it was asked for. */
function startBackend(name) {
  const server = createServer((request, response) => {
    const { host, 'x-forwarded-for': client, 'x-request-id': id } = request.headers;
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(`Hello, this is ${name}.\n${request.method} ${request.url} for ${host}, asked by ${client}, request ${id}\n`);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function openDemo() {
  const config = loadConfig({
    file: fileURLToPath(new URL('../config/config_test.json', import.meta.url)),
    env: {
      CJS_PROXY_HTTP_BIND: '127.0.0.1',
      CJS_PROXY_HTTP_PORT: port,
      CJS_PROXY_DRIVER: 'memory:',
      CJS_PROXY_LOG_LEVEL: 'warn',
    },
  });
  return createProxy(config);
}

function introduction(address) {
  const example = (command, what) => `  ${command.padEnd(66)} # ${what}\n`;
  return `
cjs-proxy serves on ${address} (memory store, two sample backends).

Try:
${example(`curl ${address}/`, 'one of the two backends, at random')}${example(
  `curl -H 'Host: shop.localhost' ${address}/cart`,
  'the frontend *.localhost',
)}${example(`curl -i -H 'X-Debug: 1' ${address}/`, 'which backend answered, and how fast')}${example(
  `curl -i -H 'Host: nobody.example' ${address}/`,
  'a host without a frontend',
)}
With Redis on 127.0.0.1:6379, a frontend is one command, in force at once:
  redis-cli rpush frontend:example.com example http://127.0.0.1:3000
  npx cjs-proxy --config config/config.json

The access log follows. Ctrl-C ends it.
`;
}

async function main() {
  const proxy = await openDemo();
  const backends = await Promise.all([startBackend('backend 1'), startBackend('backend 2')]);
  const urls = backends.map((backend) => `http://127.0.0.1:${backend.address().port}`);
  for (const host of ['127.0.0.1', 'localhost', '*.localhost']) {
    await proxy.store.writeFrontend(host, 'demo', urls);
  }

  let stoppingSince = 0;
  const stop = async () => {
    // A second Ctrl-C does not wait for what is running; npm passes the first one on, so it arrives twice at once.
    if (stoppingSince > 0) {
      if (performance.now() - stoppingSince > 500) process.exit(130);
      return;
    }
    stoppingSince = performance.now();
    // The second arrival must not meet a process that is exiting already, and become the cause of its end.
    setTimeout(() => {}, 500);
    await proxy.drain();
    for (const backend of backends) {
      backend.close();
      backend.closeAllConnections();
    }
    process.stdout.write('\nStopped.\n');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.stdout.write(introduction(`http://127.0.0.1:${proxy.addresses[0].port}`));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartError || error instanceof ConfigError)) throw error;
  process.stderr.write(`cjs-proxy: ${error.message}\nThe demo takes another port so: PORT=8081 npm start\n`);
  process.exitCode = 1;
}
