// The commands for what the fleet serves: frontends, backends, certificates, tiers.
import type { Command } from 'commander';
import { asksFleet, collect } from '../asks-fleet.js';
import type { Cli } from '../cli.js';
import type { CertFiles } from '../commands/cert.js';
import type { AddFrontendOptions } from '../commands/frontend.js';
import type { TierOptions } from '../commands/tier.js';

export function addRecordCommands(program: Command, cli: Cli): void {
  addFrontendCommands(
    program.command('frontend').description('sites: a host, or a host and path prefix, with its backends'),
    cli,
  );
  addBackendCommands(program.command('backend').description('backends of a frontend'), cli);
  addCertCommands(program.command('cert').description('certificates'), cli);
  addTierCommands(program.command('tier').description('rate limits with a name'), cli);
}

function addFrontendCommands(group: Command, cli: Cli): void {
  const load = () => import('../commands/frontend.js');
  asksFleet<AddFrontendOptions>(
    group
      .command('add <frontend> [backends...]')
      .description(
        'make a frontend: example.com, "*.example.com", "*" or example.com/api, with backends such as http://10.0.0.1:3000',
      )
      .option('--id <name>', 'name for the log; else that of the frontend')
      .option('--strategy <name>', 'how a backend is chosen (RANDOM)')
      .option('--set <field=value>', 'a field of its policy; may be given again', collect),
    cli,
    async (session, words, options) => (await load()).addFrontend(session, words, options),
    true,
  );
  asksFleet(
    group
      .command('set <frontend> <fields...>')
      .description('change fields of its policy: FIELD=VALUE, a JSON value or a text; FIELD= takes one away'),
    cli,
    async (session, words) => (await load()).setFrontend(session, words),
    true,
  );
  asksFleet(
    group.command('rm <frontends...>').description('remove frontends with their policy and marks'),
    cli,
    async (session, words) => (await load()).removeFrontends(session, words),
    true,
  );
  asksFleet(
    group.command('ls [search]').description('list frontends, all or those with a text in their name'),
    cli,
    async (session, words) => (await load()).listFrontends(session, words),
  );
  asksFleet(
    group.command('show <frontend>').description('show a frontend with its policy and how its backends stand'),
    cli,
    async (session, words) => (await load()).showFrontend(session, words),
  );
}

function addBackendCommands(group: Command, cli: Cli): void {
  const load = () => import('../commands/backend.js');
  asksFleet(
    group
      .command('add <frontend> <backend>')
      .description("add a backend: 'http://10.0.0.1:3000#id=a&weight=2', https://…, unix:/path"),
    cli,
    async (session, words) => (await load()).addBackend(session, words),
    true,
  );
  asksFleet(
    group.command('rm <frontend> <backend>').description('remove a backend, named by its id or its address'),
    cli,
    async (session, words) => (await load()).removeBackend(session, words),
    true,
  );
  asksFleet(group.command('ls <frontend>').description('list backends and how they stand'), cli, async (session, words) =>
    (await load()).listBackends(session, words),
  );
  asksFleet(
    group.command('dead <frontend> <backend>').description('take a backend out for maintenance: only a person gives it back'),
    cli,
    async (session, words) => (await load()).killBackend(session, words),
    true,
  );
  asksFleet(
    group.command('drain <frontend> <backend>').description('give a backend no new clients; those that are pinned to it stay'),
    cli,
    async (session, words) => (await load()).drainBackend(session, words),
    true,
  );
  asksFleet(
    group.command('alive <frontend> <backend>').description('give a backend back after maintenance, draining or failure'),
    cli,
    async (session, words) => (await load()).reviveBackend(session, words),
    true,
  );
}

function addCertCommands(group: Command, cli: Cli): void {
  const load = () => import('../commands/cert.js');
  asksFleet<CertFiles>(
    group
      .command('add <domain>')
      .description('store a certificate for a host, "*.suffix" or "*", or replace it; it is in force at once')
      .requiredOption('--cert <file>', 'certificate and chain in PEM form')
      .requiredOption('--key <file>', 'private key in PEM form; -: stdin'),
    cli,
    async (session, words, options) => (await load()).addCert(session, words, options),
    true,
  );
  asksFleet(
    group.command('rm <domain>').description('remove a certificate'),
    cli,
    async (session, words) => (await load()).removeCert(session, words),
    true,
  );
  asksFleet(group.command('ls [search]').description('list certificates with their dates'), cli, async (session, words) =>
    (await load()).listCerts(session, words),
  );
}

function addTierCommands(group: Command, cli: Cli): void {
  const load = () => import('../commands/tier.js');
  asksFleet<TierOptions>(
    group
      .command('set <tier>')
      .description('make a tier, or replace it')
      .requiredOption('--points <number>', 'requests, or what they cost, in a window')
      .option('--duration <seconds>', 'how long a window lasts (60)')
      .option('--burst <number>', 'points beyond those, in a window of their own')
      .option('--burst-duration <seconds>', 'how long that window lasts')
      .option('--scope <what>', 'what is counted together: client, client+frontend or frontend (client)')
      .option('--set <field=value>', 'another field of it; may be given again', collect),
    cli,
    async (session, words, options) => (await load()).setTier(session, words, options),
    true,
  );
  asksFleet(
    group.command('rm <tier>').description('remove a tier'),
    cli,
    async (session, words) => (await load()).removeTier(session, words),
    true,
  );
  asksFleet(group.command('ls').description('list tiers'), cli, async (session) => (await load()).listTiers(session));
}
