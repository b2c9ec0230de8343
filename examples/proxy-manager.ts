// A proxy inside a program, without Redis. Ports below 1024 need root (or CAP_NET_BIND_SERVICE).
import { ProxyManager } from 'cjs-proxy/core/ProxyManager';
import { BalancingStrategy } from 'cjs-proxy/types';

const proxyManager = new ProxyManager({ port: 80, sslPort: 443 });

await proxyManager.start();

proxyManager.router.addRoute({
  id: 'route-1',
  vHost: 'api.example.com',
  strategy: BalancingStrategy.ROUND_ROBIN,
  autoHttps: false,
  reqQueueLength: 100,
  reqActiveLength: 50,
  backends: [
    { id: 'node-1', hostname: '127.0.0.1', port: 3001, isDead: false, failureCount: 0 },
    { id: 'node-2', hostname: '127.0.0.1', port: 3002, isDead: false, failureCount: 0 },
  ],
});

proxyManager.on('request.completed', ({ req, res, meta, durationMs }) => {
  console.log(`${req.method} ${req.url} ${res.statusCode} by ${meta.targetId} in ${durationMs.toFixed(1)} ms`);
});

process.once('SIGTERM', () => proxyManager.stop());
