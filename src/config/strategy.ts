// The ways of choosing a backend, by name: for the setting `server.strategy` and for the policy of a frontend.

/** All names, in the order in which they are shown. */
export const strategies = ['RANDOM', 'ROUND_ROBIN', 'IP_HASH', 'LEAST_LATENCY', 'LEAST_CONNECTIONS', 'HASH'] as const;

export type Strategy = (typeof strategies)[number];

/** What a message says is allowed. */
export const strategiesAllowed = strategies.map((name) => `"${name}"`).join(', ');
