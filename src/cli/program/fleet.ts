// The commands that ask how the fleet is: nodes, statistics, where a request goes.
import type { Command } from 'commander';
import { asksFleet, collect, positive } from '../asks-fleet.js';
import type { Cli } from '../cli.js';
import type { ExplainOptions } from '../commands/explain.js';
import type { TopOptions } from '../commands/top.js';

export function addFleetCommands(program: Command, cli: Cli): void {
  addNodeCommands(program.command('node').description('machines that serve'), cli);
  asksFleet(
    program.command('stats [frontend]').description('what was counted, by the whole fleet or of one frontend'),
    cli,
    async (session, words) => (await import('../commands/stats.js')).showStats(session, words),
  );
  asksFleet<TopOptions>(
    program
      .command('top')
      .description('the busiest frontends, written anew every second')
      .option('--every <seconds>', 'how often (1)', positive)
      .option('--times <number>', 'end after so many times', positive)
      .option('--rows <number>', 'so many frontends; else as many as the terminal has room for', positive),
    cli,
    async (session, _words, options) => (await import('../commands/top.js')).top(session, options),
  );
  asksFleet<ExplainOptions>(
    program
      .command('explain <url>')
      .description('say which frontend serves a URL and why, how its backends stand and what its policy asks for')
      .option('--from <address>', 'address of the client')
      .option('--header <line>', "a header of the request, as 'Name: value'; may be given again", collect),
    cli,
    async (session, words, options) => (await import('../commands/explain.js')).explain(session, words, options),
  );
}

function addNodeCommands(group: Command, cli: Cli): void {
  const load = () => import('../commands/node.js');
  asksFleet(
    group.command('ls').description('list nodes, what they do and whether they have the last change in force'),
    cli,
    async (session) => (await load()).listNodes(session),
  );
  asksFleet(
    group
      .command('drain <node>')
      .description('take a node out, also after a restart: it says that it is not ready, and serves what still comes'),
    cli,
    async (session, words) => (await load()).drainNode(session, words),
    true,
  );
  asksFleet(
    group.command('alive <node>').description('give a node back'),
    cli,
    async (session, words) => (await load()).giveNodeBack(session, words),
    true,
  );
}
