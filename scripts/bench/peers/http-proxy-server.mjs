// A proxy of a few lines around the package `http-proxy`: arguments are the port, the backend's port and the access log.
// Plain JavaScript, so that no loader is in the process that is measured.
import { createWriteStream } from 'node:fs';
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [port, backendPort, accessLog] = process.argv.slice(2);
const log = createWriteStream(accessLog, { flags: 'a' });
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${backendPort}`,
  agent: new Agent({ keepAlive: true, maxFreeSockets: 4096 }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response && !response.headersSent) response.writeHead(502);
  response.end();
});

const server = createServer((request, response) => {
  response.once('finish', () => {
    const { method, url, httpVersion, headers, socket } = request;
    const time = new Date().toISOString();
    const agent = headers['user-agent'] ?? '-';
    log.write(`${socket.remoteAddress} - - [${time}] "${method} ${url} HTTP/${httpVersion}" ${response.statusCode} "${agent}"\n`);
  });
  proxy.web(request, response);
});
server.keepAliveTimeout = 3_600_000;
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });

process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  log.end(() => process.exit(0));
});
