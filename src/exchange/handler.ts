// What a listener does with an exchange: hands it over. Given to listeners by the composition root.
import type { ProxyError } from '../errors/proxy-error.js';
import type { Exchange } from './exchange.js';

/** The way into the pipeline. */
export interface ExchangeHandler {
  /** Takes an exchange whose head is complete; its body may still be coming. */
  handle(exchange: Exchange): void;
  /** Ends an exchange with an error of the client's side: a head that was refused, or a body that broke off. */
  refuse(exchange: Exchange, error: ProxyError): void;
}
