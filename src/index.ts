// The library's public face: what `import … from 'cjs-proxy'` gives.
export type { Config } from './config/config.js';
export { ConfigError } from './config/config-error.js';
export { type ConfigSources, loadConfig } from './config/load.js';
export { StartError } from './errors/start-error.js';
export { createProxy, type Proxy, type ProxyOptions } from './proxy/create-proxy.js';
export type { Store } from './store/store.js';
