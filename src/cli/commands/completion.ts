// `cjs-proxy completion`: what makes a shell complete commands and their options, written from their definitions.
import type { Command, Option } from 'commander';
import { CommandError, exitCodes } from '../command-error.js';

/** A command by its words, `frontend add`, with what may follow. */
interface Place {
  readonly words: string;
  readonly next: readonly { readonly word: string; readonly note: string }[];
}

/** Prints a script to be sourced. @throws CommandError for another shell */
export function completion(program: Command, shell: string): number {
  const places = placesOf(program, '', [...program.options]);
  switch (shell) {
    case 'bash':
      process.stdout.write(bashScript(places));
      return exitCodes.done;
    case 'zsh':
      process.stdout.write(zshScript(places));
      return exitCodes.done;
    default:
      throw new CommandError(`there is no completion for ${JSON.stringify(shell)}; allowed: bash, zsh`, exitCodes.usage);
  }
}

function placesOf(command: Command, words: string, inherited: readonly Option[]): Place[] {
  const options = [...new Set([...command.options, ...inherited])].flatMap(({ long, description }) =>
    long == null ? [] : [{ word: long, note: description }],
  );
  const commands = command.commands.map((one) => ({ word: one.name(), note: one.description() }));
  const below = command.commands.flatMap((one) => placesOf(one, `${words} ${one.name()}`.trim(), inherited));
  return [{ words, next: [...commands, { word: '--help', note: 'print this help' }, ...options] }, ...below];
}

/** Finds the place by the words before the cursor that are no options; files are completed where nothing else is. */
function bashScript(places: readonly Place[]): string {
  const cases = places.map(({ words, next }) => `    '${words}') words='${next.map(({ word }) => word).join(' ')}' ;;`);
  return `# bash completion of cjs-proxy: source <(cjs-proxy completion bash)
_cjs_proxy() {
  local current="\${COMP_WORDS[COMP_CWORD]}" place='' word words='' known=' ${knownPlaces(places)} '
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$known" in
      *" \${place:+$place/}$word "*) place="\${place:+$place/}$word" ;;
    esac
  done
  case "\${place/\\// }" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _cjs_proxy cjs-proxy
`;
}

function zshScript(places: readonly Place[]): string {
  const cases = places.map(({ words, next }) => {
    const items = next.map(({ word, note }) => `'${word}:${note.replaceAll("'", "'\\''").replaceAll(':', '\\:')}'`);
    return `    '${words}') next=(${items.join(' ')}) ;;`;
  });
  return `#compdef cjs-proxy
# zsh completion of cjs-proxy: source <(cjs-proxy completion zsh)
_cjs_proxy() {
  local place='' word known=' ${knownPlaces(places)} '
  local -a next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$known" == *" \${place:+$place/}$word "* ]] && place="\${place:+$place/}$word"
  done
  case "\${place/\\// }" in
${cases.join('\n')}
  esac
  _describe 'cjs-proxy' next || _files
}
compdef _cjs_proxy cjs-proxy
`;
}

/** `frontend frontend/add …`: no word of a command has a space or a slash. */
function knownPlaces(places: readonly Place[]): string {
  return places
    .map(({ words }) => words.replaceAll(' ', '/'))
    .filter((words) => words !== '')
    .join(' ');
}
