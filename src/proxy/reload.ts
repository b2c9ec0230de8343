// SIGHUP and SIGUSR2: goes over to another configuration, or to fresh processes, one request after the other.
import type { Config } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { findUnreadableFiles } from '../config/unreadable-files.js';
import { StartError } from '../errors/start-error.js';
import type { Logger } from '../observe/logger.js';
import type { Notifier } from './notify.js';
import { restartFaults } from './restart-faults.js';
import { formatAddresses } from './served-proxy.js';
import type { Supervisor } from './supervisor.js';

export interface ReloadParts {
  readonly supervisor: Pick<Supervisor, 'reload' | 'roll'>;
  /** The configuration that is in force. */
  readonly config: Config;
  /** Reads the configuration again, as at the start. @throws ConfigError */
  readonly load: () => Config;
  readonly notifier: Notifier;
  readonly logger: Logger;
}

export class Reload {
  readonly #parts: ReloadParts;
  #config: Config;
  #turn: Promise<void> = Promise.resolve();
  /** Waits for its turn already: that one will read the newest file. */
  readonly #queued = { reload: false, roll: false };

  constructor(parts: ReloadParts) {
    this.#parts = parts;
    this.#config = parts.config;
  }

  /** Takes the configuration over as it stands in the file; if that cannot be, nothing changes and the log says why. */
  reload(): void {
    this.#enqueue('reload', () => this.#reload());
  }

  /** Replaces the workers one after the other. */
  roll(): void {
    this.#enqueue('roll', () => this.#roll());
  }

  #enqueue(what: 'reload' | 'roll', work: () => Promise<string>): void {
    if (this.#queued[what]) return;
    this.#queued[what] = true;
    this.#turn = this.#turn.then(async () => {
      this.#queued[what] = false;
      const { notifier } = this.#parts;
      notifier.reloading();
      notifier.ready(await work());
    });
  }

  async #reload(): Promise<string> {
    const { supervisor, logger } = this.#parts;
    const next = this.#read();
    if (next === null) return 'The last reload was refused: see the log';
    for (const warning of next.warnings) logger.warn(warning);
    try {
      const addresses = await supervisor.reload(next);
      if (addresses.length === 0) return 'Finishing what is running';
      this.#config = next;
      const { workers } = next.server;
      const text = `Serving ${formatAddresses(addresses)} with ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
      logger.info(`The new configuration is in force. ${text}`, { driver: next.driver.read });
      return text;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      this.#refuse([error.message]);
      return 'The last reload was refused: see the log';
    }
  }

  async #roll(): Promise<string> {
    const done = await this.#parts.supervisor.roll();
    if (done) this.#parts.logger.info('Every worker was replaced');
    else this.#parts.logger.error('Not every worker was replaced: those that were not go on as they are');
    return done ? 'Every worker was replaced' : 'Not every worker was replaced: see the log';
  }

  /** The configuration as it stands now; null, after its faults were told, if it cannot be taken over. */
  #read(): Config | null {
    try {
      const next = this.#parts.load();
      const unreadable = findUnreadableFiles(next);
      if (unreadable.length > 0) throw new ConfigError(unreadable);
      const faults = restartFaults(this.#config, next).map((fault) => `${fault}; restart the node for that`);
      if (faults.length === 0) return next;
      this.#refuse(faults);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#refuse(error.message.split('\n'));
    }
    return null;
  }

  #refuse(faults: readonly string[]): void {
    for (const fault of faults) this.#parts.logger.error(`The new configuration is refused, the old one stays: ${fault}`);
  }
}
