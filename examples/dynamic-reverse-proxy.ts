// One front for services of this machine that register themselves: POST {"prefix": "/test", "port": 4321} to /register.
import { createServer } from 'node:http';
import { createDynamicReverseProxy } from 'cjs-proxy';

const dynamicProxy = createDynamicReverseProxy();

const server = createServer((request, response) => {
  if (request.url?.match(/^\/register/i)) dynamicProxy.registerRouteRequest(request, response);
  else dynamicProxy.proxyRequest(request, response);
});

dynamicProxy.on('routeRegistered', ({ prefix, host, port }) => console.log(`${prefix} is served by ${host}:${port}`));
dynamicProxy.on('proxyError', (error, host) => console.error(host === null ? 'no route' : host.prefix, error.message));

server.listen(3000);
