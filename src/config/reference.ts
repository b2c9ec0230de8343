// The table of all settings for docs/configuration.md, written from the schema so that the two agree.
import { variableName } from './environment.js';
import { allSettings } from './schema.js';

/** Markdown: one row a setting, with its default, what is allowed, its explanation, its environment variable. */
export function settingsTable(): string {
  const rows = allSettings.map(({ path, note }) => {
    const standard = note.standard === '' ? '' : `\`${note.standard}\``;
    const cells = [`\`${path}\``, standard, note.allowed, note.explanation, `\`${variableName(path)}\``];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| key | default | allowed | meaning | variable |', '|---|---|---|---|---|', ...rows].join('\n');
}
