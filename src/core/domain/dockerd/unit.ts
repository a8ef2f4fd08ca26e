/** Parser of systemd unit files and drop-ins: settings with locations, and the words of a command line. */

export type UnitFile = { readonly path: string; readonly text: string };

/** One assignment in a unit file. `line` counts from 1 and is its first line. */
export type UnitSetting = {
  readonly path: string;
  readonly line: number;
  readonly section: string;
  readonly key: string;
  readonly value: string;
};

/** All assignments of a unit file, with continuation lines joined (systemd.syntax(7)). */
export function parseUnit(file: UnitFile): UnitSetting[] {
  const settings: UnitSetting[] = [];
  const lines = file.text.split('\n');
  let section = '';
  for (let index = 0; index < lines.length; index += 1) {
    const start = index;
    let text = (lines[index] ?? '').trim();
    if (text === '' || text.startsWith('#') || text.startsWith(';')) continue;
    while (text.endsWith('\\') && index + 1 < lines.length) {
      index += 1;
      const next = (lines[index] ?? '').trim();
      // Comments inside a continued assignment are skipped.
      if (next.startsWith('#') || next.startsWith(';')) text = `${text.slice(0, -1).trimEnd()} \\`;
      else text = `${text.slice(0, -1).trimEnd()} ${next}`;
    }
    if (text.endsWith('\\')) text = text.slice(0, -1).trimEnd();
    const header = /^\[([^\]]+)\]$/.exec(text);
    if (header) {
      section = header[1] ?? '';
      continue;
    }
    const equals = text.indexOf('=');
    if (equals > 0) {
      settings.push({
        path: file.path,
        line: start + 1,
        section,
        key: text.slice(0, equals).trim(),
        value: text.slice(equals + 1).trim(),
      });
    }
  }
  return settings;
}

/**
 * Effective value of a list setting such as ExecStart. Files are in systemd's order (fragment first, then drop-ins as systemd lists
 * them); an empty assignment clears the list.
 */
export function effectiveList(files: readonly UnitFile[], section: string, key: string): UnitSetting[] {
  let list: UnitSetting[] = [];
  for (const file of files) {
    for (const setting of parseUnit(file)) {
      if (setting.section !== section || setting.key !== key) continue;
      if (setting.value === '') list = [];
      else list.push(setting);
    }
  }
  return list;
}

/** A word of a command line: as written (with quotes), and as systemd interprets it. */
export type Word = { readonly raw: string; readonly text: string };

/** Splits a command line by systemd's rules (systemd.service(5), "Command lines"): quotes, backslash escapes, no shell. */
export function splitWords(command: string): Word[] {
  const words: Word[] = [];
  let index = 0;
  while (index < command.length) {
    while (/\s/.test(command[index] ?? '')) index += 1;
    if (index >= command.length) break;
    const start = index;
    let text = '';
    let quote = '';
    while (index < command.length) {
      const char = command[index] ?? '';
      if (quote === '' && /\s/.test(char)) break;
      if (char === '\\' && index + 1 < command.length) {
        const [sequence = '', hex, octal] =
          /^\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2})|[\s\S])/.exec(command.slice(index)) ?? [];
        const code = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
        const next = sequence.slice(1);
        text += Number.isNaN(code) ? ({ n: '\n', t: '\t', s: ' ' }[next] ?? next) : String.fromCharCode(code);
        index += sequence.length;
        continue;
      }
      if (quote !== '') {
        if (char === quote) quote = '';
        else text += char;
      } else if ((char === '"' || char === "'") && (index === start || !/[A-Za-z0-9]/.test(command[index - 1] ?? '')))
        quote = char;
      else text += char;
      index += 1;
    }
    words.push({ raw: command.slice(start, index), text });
  }
  return words;
}

/** A word of a unit's command line, with any content: `%` and `$` are doubled, and quotes are added only if needed. */
export function unitWord(value: string): string {
  const escaped = value.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_@%+=:,./$[\]-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** `NAME=VALUE` lines; other lines are ignored, and the last value of a name counts. */
export function parseProperties(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
