// The list of all commands for docs/cli.md, written from their definitions so that the two agree.
import { Command, type Option } from 'commander';
import { asksFleet } from './asks-fleet.js';
import { createProgram } from './program/program.js';

/** Markdown: every command with what it is for and its options. */
function commandReference(): string {
  const { program, cli } = createProgram({});
  const common = asksFleet(new Command(), cli, async () => 0, true).options.map(({ flags }) => flags);
  const own = (options: readonly Option[]): Option[] => options.filter(({ flags }) => !common.includes(flags));
  const commands = program.commands.flatMap((command) => (command.commands.length === 0 ? [command] : command.commands));
  const fleet = asksFleet(new Command(), cli, async () => 0, true).options;
  return [
    'Of every command:',
    '',
    ...optionTable(program.options),
    '',
    'Of every command that asks the fleet, which the list marks with `…`; the last two of those that write:',
    '',
    ...optionTable(fleet),
    ...commands.flatMap((command) =>
      section(command, own(command.options), command.options.length > own(command.options).length),
    ),
  ].join('\n');
}

/** Between the markers of the page. */
export function withReference(page: string): string {
  const [before = '', rest = ''] = page.split('<!-- commands: begin -->');
  const after = rest.split('<!-- commands: end -->')[1] ?? '';
  return `${before}<!-- commands: begin -->\n${commandReference()}\n<!-- commands: end -->${after}`;
}

function section(command: Command, options: readonly Option[], asks: boolean): string[] {
  const group = command.parent?.parent == null ? '' : `${command.parent.name()} `;
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? ` <${name}>` : ` [${name}]`;
  });
  const description = command.description();
  const sentence = `${description.charAt(0).toUpperCase()}${description.slice(1)}.`;
  const table = options.length === 0 ? [] : ['', ...optionTable(options)];
  return ['', `### \`cjs-proxy ${group}${command.name()}${words.join('')}${asks ? ' …' : ''}\``, '', sentence, ...table];
}

function optionTable(options: readonly Option[]): string[] {
  const rows = options.map(({ flags, description }) => `| \`${flags}\` | ${description.replaceAll('|', '\\|')} |`);
  return ['| option | |', '|---|---|', ...rows];
}
