// What becomes of the commands of Redis that cannot go over a connection which many clients share.
//
// Some change the connection for everyone on it (a transaction, another database, another protocol), some have no answer
// or many, some end it. A proxy that let them pass would give one client's answers to another.

/** How a request is answered without a target. */
export interface OwnAnswer {
  /** The answer, in RESP2. */
  readonly text: string;
  /** The connection of the client is closed behind it. */
  readonly last: boolean;
}

/** The longest name below, and with it all that is gathered of the words of a command. */
export const longestName = 12;

const refused = new Set(
  (
    'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF ' +
    'MULTI EXEC DISCARD WATCH UNWATCH AUTH RESET ASKING READONLY READWRITE'
  ).split(' '),
);
/** Of CLIENT: those that change what the connection is answered. */
const refusedOfClient = new Set(['REPLY', 'TRACKING', 'CACHING']);
/** Redis takes these for HTTP and closes the connection. */
const foreign = new Set(['POST', 'HOST:']);

const goodBye: OwnAnswer = { text: '+OK\r\n', last: true };
const oneProtocol: OwnAnswer = { text: '-NOPROTO this connection is shared and stays with protocol 2\r\n', last: false };
const database: OwnAnswer = { text: '-ERR this connection is shared and stays with database 0\r\n', last: false };
const databaseKept: OwnAnswer = { text: '+OK\r\n', last: false };

/**
 * Looks at the first two words of a command.
 * @param name and `second` as they were sent; of longer words than any here it is enough to know the beginning
 * @returns null: it may pass
 */
export function ownAnswer(name: string, second: string): OwnAnswer | null {
  const command = name.toUpperCase();
  switch (command) {
    case 'QUIT':
      return goodBye;
    case 'HELLO':
      return oneProtocol;
    case 'SELECT':
      return second === '0' ? databaseKept : database;
    case 'CLIENT':
      return refusedOfClient.has(second.toUpperCase()) ? refusal(`CLIENT ${second.toUpperCase()}`) : null;
  }
  if (foreign.has(command)) return { ...refusal(command), last: true };
  return refused.has(command) ? refusal(command) : null;
}

function refusal(command: string): OwnAnswer {
  return { text: `-ERR ${command} cannot be used over a connection that many clients share\r\n`, last: false };
}
