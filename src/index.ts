// The library's public face: what `import … from 'cjs-proxy'` gives.
export type { AuthCallback, AuthCallbackAnswer, AuthCallbackQuestion, AuthCallbacks } from './auth/callback.js';
export { hashPassword } from './auth/password-hash.js';
export type { Config } from './config/config.js';
export { ConfigError } from './config/config-error.js';
export { type ConfigSources, loadConfig } from './config/load.js';
export { StartError } from './errors/start-error.js';
export {
  createDynamicReverseProxy,
  DynamicReverseProxy,
  type DynamicReverseProxyEvents,
  type DynamicReverseProxyOptions,
  type RegisteredRoute,
} from './library/dynamic-reverse-proxy.js';
export {
  type ConnectArgs,
  type EndpointLike,
  type ProximaAnswer,
  type ProximaClient,
  type ProximaHandler,
  type ProximaLimits,
  type ProximaListener,
  type ProximaProxy,
  type ProximaServer,
  type ProximaServerEvents,
  type ProximaServerOptions,
  proxima,
} from './library/proxima.js';
export type { ProximuxConfig, ProximuxEvents, ProximuxLogger, ProximuxPeer, ProximuxTarget } from './library/proximux.js';
export { Proximux } from './library/proximux.js';
export { ProxyManager, type ProxyManagerOptions } from './library/proxy-manager.js';
export { RouteConfigError } from './library/route-config-error.js';
export type { Router } from './library/router.js';
export * from './library/types.js';
export { EventBus } from './observe/events.js';
export { Tracker } from './observe/tracker.js';
export { createProxy } from './proxy/create-proxy.js';
export type { Proxy, ProxyOptions } from './proxy/proxy.js';
export type { Store } from './store/store.js';
