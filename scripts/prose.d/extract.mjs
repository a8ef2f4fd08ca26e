/** Comments, strings and documentation as pieces of text: `{ line, text }`, one piece a comment, string or paragraph. */

/** A slash begins a regular expression where no operand ends: after these characters and words. */
const BEFORE_REGEX = /(?:^|[=(,:;[!&|?{}+\-*%<>~^\n]|\b(?:return|typeof|case|of|in|do|else|yield|await))\s*$/;

/**
 * Comments, string literals and regular expressions of TypeScript; literals with their offsets. A template counts without its expressions,
 * each of which becomes "X".
 */
export function scanTypeScript(source) {
  const comments = [];
  const strings = [];
  const regexes = [];
  let at = 0;
  let line = 1;
  /** Braces open in each template expression that is open. */
  const nesting = [];
  const templates = [];
  const advance = (to) => {
    for (; at < to; at++) if (source[at] === '\n') line++;
  };
  const template = (open) => {
    let text = open.text;
    let end = at;
    for (; end < source.length; end++) {
      if (source[end] === '\\') {
        text += source[end + 1] === 'n' ? '\n' : '';
        end++;
      } else if (source[end] === '`') {
        strings.push({ line: open.line, at: open.at, end: end + 1, text });
        return advance(end + 1);
      } else if (source[end] === '$' && source[end + 1] === '{') {
        templates.push({ line: open.line, at: open.at, text: `${text}X` });
        nesting.push(0);
        return advance(end + 2);
      } else text += source[end];
    }
    advance(end);
  };
  while (at < source.length) {
    const char = source[at];
    const next = source[at + 1];
    if (char === '/' && next === '/') {
      const end = source.indexOf('\n', at);
      const text = source.slice(at + 2, end);
      const last = comments.at(-1);
      const alone = source.slice(source.lastIndexOf('\n', at) + 1, at).trim() === '';
      if (alone && last?.next === line) Object.assign(last, { text: `${last.text}\n${text}`, next: line + 1 });
      else comments.push({ line, text, next: alone ? line + 1 : 0 });
      advance(end);
    } else if (char === '/' && next === '*') {
      const end = source.indexOf('*/', at + 2);
      comments.push({ line, text: source.slice(at + 2, end).replaceAll(/^\s*\*+ ?/gm, '') });
      advance(end + 2);
    } else if (char === "'" || char === '"') {
      let end = at + 1;
      while (source[end] !== char && source[end] !== '\n' && end < source.length) end += source[end] === '\\' ? 2 : 1;
      strings.push({
        line,
        at,
        end: end + 1,
        text: source
          .slice(at + 1, end)
          .replaceAll('\\n', '\n')
          .replaceAll('\\', ''),
      });
      advance(end + 1);
    } else if (char === '`') {
      const open = { line, at, text: '' };
      advance(at + 1);
      template(open);
    } else if (char === '/' && BEFORE_REGEX.test(source.slice(Math.max(0, at - 20), at))) {
      let end = at + 1;
      for (
        let inClass = false;
        end < source.length && (inClass || source[end] !== '/') && source[end] !== '\n';
        end++
      ) {
        if (source[end] === '\\') end++;
        else if (source[end] === '[') inClass = true;
        else if (source[end] === ']') inClass = false;
      }
      regexes.push({ line, at, end: end + 1, text: source.slice(at + 1, end) });
      advance(end + 1);
    } else if (char === '}' && nesting.at(-1) === 0) {
      nesting.pop();
      advance(at + 1);
      template(templates.pop());
    } else {
      if (nesting.length > 0 && char === '{') nesting[nesting.length - 1]++;
      if (nesting.length > 0 && char === '}') nesting[nesting.length - 1]--;
      advance(at + 1);
    }
  }
  return { comments, strings, regexes };
}

/** Comment lines of a shell script, joined while they follow each other. Headers that a program reads are left out. */
export function scanShell(source) {
  const comments = [];
  let last;
  source.split('\n').forEach((text, index) => {
    const comment = /^\s*#(?!!) ?(.*)$/.exec(text)?.[1];
    if (comment === undefined || /^Needs \w+:|^shellcheck /.test(comment)) last = undefined;
    else if (last !== undefined) last.text += `\n${comment}`;
    else {
      last = { line: index + 1, text: comment };
      comments.push(last);
    }
  });
  return comments;
}

/** Paragraphs, list items and table cells of Markdown, without code blocks and tables that a script makes (between HTML comments). */
export function scanMarkdown(source) {
  const pieces = [];
  let last;
  let fence = false;
  let generated = false;
  source.split('\n').forEach((text, index) => {
    const line = index + 1;
    if (/^\s*(```|~~~)/.test(text)) fence = !fence;
    if (/^<!-- (begin|start|generated)/i.test(text)) generated = true;
    if (/^<!-- (end|\/)/i.test(text)) generated = false;
    // Indented by four where no paragraph or list goes on: code.
    const code = last === undefined && /^ {4}/.test(text);
    if (fence || generated || code || /^\s*(```|~~~|<|$)/.test(text)) {
      last = undefined;
    } else if (/^\s*\|/.test(text)) {
      last = undefined;
      for (const cell of text.split(/(?<!\\)\|/)) pieces.push({ line, text: cell });
    } else if (last === undefined || /^\s*([-*+]|\d+\.|#+|>)\s/.test(text)) {
      last = { line, text: text.replace(/^\s*([-*+]|\d+\.|#+|>)\s+/, '') };
      pieces.push(last);
      if (text.startsWith('#')) last = undefined;
    } else last.text += `\n${text}`;
  });
  return pieces;
}

/** Sentences of a piece, with their lines. `words`: the fewest that count. Code in backquotes counts as one word. */
export function sentences({ line, text }, words) {
  const plain = text
    .replaceAll(/\b(?:e\.g|i\.e|etc|vs|cf|No|St)\./g, (word) => word.replaceAll('.', ''))
    .replaceAll(/`[^`]*`/g, (code) => `X${'\n'.repeat(code.split('\n').length - 1)}`)
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[*_]{2}|\{@\w+ (\w+)[^}]*\}/g, '$1');
  const found = [];
  let at = 0;
  for (const end of plain.matchAll(/[.!?]['")\]]*(?=\s)|\n\s*(?:\n|[-*] |@)|$/g)) {
    const part = plain.slice(at, end.index + (end[0].trim() === '' ? 0 : end[0].length));
    const lead = part.length - part.trimStart().length;
    const before = plain.slice(0, at + lead).split('\n').length - 1;
    const sentence = part.trim().replaceAll(/\s+/g, ' ');
    if ((sentence.match(/\b[A-Za-z][\w'-]*\b/g) ?? []).length >= words)
      found.push({ line: line + before, text: sentence });
    at = end.index + end[0].length;
  }
  return found;
}
