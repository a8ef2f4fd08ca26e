// Looks for words of deleted features in what a copy shows to users, and prints each place. The words are what the original's commands have
// and the copy's have not: commands, options, formats. Usage: words.mjs ORIGINAL COPY NAME…
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [original, copy, ...features] = process.argv.slice(2);
process.argv.length = 2;
const { pagesIn } = await import(pathToFileURL(join(original, 'scripts/without.d/strip.mjs')).href);

// In this process: a start of Node for each page of each feature takes minutes of CPU.
for (const name of Object.keys(process.env)) if (name.startsWith('DOCKER_')) delete process.env[name];
Object.assign(process.env, { DOCKER_TLS_HOME: join(copy, 'no-store'), HOME: copy, NO_COLOR: '1' });
const built = (root, name) => import(pathToFileURL(join(root, `dist/${name}.js`)).href);

async function helpOf(root, ...words) {
  let text = '';
  const io = { outIsTerminal: false, errIsTerminal: false, inIsTerminal: false, columns: 80, colour: false };
  const out = (more) => {
    text += more;
  };
  const { main } = await built(root, 'main');
  const status = await main([...words, '--help'], {
    io: { ...io, out, err: out },
    signal: new AbortController().signal,
  });
  if (status !== 0 || text === '') throw new Error(`docker-tls ${words.join(' ')} --help: ${status}\n${text}`);
  return text;
}

const completionOf = async (root, ...words) => (await built(root, 'complete')).answerShell(words);

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const commandsOf = (root) => Object.values(JSON.parse(readFileSync(join(root, 'dist/commands.json'), 'utf8')));
async function gone(of) {
  const left = new Set(await of(copy));
  return [...new Set(await of(original))].filter((word) => !left.has(word));
}

const words = {
  commands: await gone((root) => commandsOf(root).map(({ name }) => name)),
  options: await gone(async (root) => [
    ...commandsOf(root).flatMap(({ options }) => Object.keys(options).map((name) => `--${kebab(name)}`)),
    ...(await helpOf(root, 'apply')).match(/--[\w-]+/g),
  ]),
  formats: await gone((root) =>
    commandsOf(root).flatMap(({ options }) => Object.values(options).flatMap(({ choices = [] }) => choices)),
  ),
};
const escaped = (all) => all.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
const WORDS = new RegExp(
  [
    `docker(?:-| |\\\\-)tls (?:${escaped(words.commands) || '(?!)'})(?![\\w-])`,
    `\`(?:${escaped(words.commands) || '(?!)'})[ \`]`,
    // As help and completion list them.
    `^ *(?:${escaped(words.commands) || '(?!)'})(?:\\t|  )`,
    `(?<![\\w-])(?:${escaped(words.options) || '(?!)'})(?![\\w-])`,
    `--format[ =](?:${escaped(words.formats) || '(?!)'})(?![\\w-])`,
    ...features.map((name) => `(?:src|test)/features/${name}\\b`),
  ].join('|'),
);

const found = [];
function look(where, text) {
  text.split('\n').forEach((line, index) => {
    // Of other programs; `ssh HOST` alone is a command of ours.
    const [word] =
      WORDS.exec(
        line.replaceAll(
          /ansible-inventory .*?--list|curl [^`]*|step certificate .*|docker buildx create --use|`ssh\b(?! HOST(?:`| --))/g,
          '',
        ),
      ) ?? [];
    if (word !== undefined) found.push(`${where}:${index + 1}: ${word.trim()}`);
  });
}

const names = commandsOf(copy).map(({ name }) => name);
look('--help', await helpOf(copy));
look('completion', (await completionOf(copy, '')) + (await completionOf(copy, '--')));
for (const name of names) {
  look(`${name} --help`, await helpOf(copy, ...name.split(' ')));
  look(`completion of ${name}`, await completionOf(copy, ...name.split(' '), '--'));
}
for (const page of readdirSync(join(copy, 'out/man')))
  look(page, readFileSync(join(copy, 'out/man', page), 'utf8').replaceAll('\\-', '-'));
// Error codes of features are in src/errors, as those of the core.
for (const page of pagesIn(copy).filter((one) => one !== 'docs/lists/errors.md'))
  look(page, readFileSync(join(copy, page), 'utf8'));

for (const [kind, all] of Object.entries(words)) console.log(`${kind}: ${all.join(' ') || 'none'}`);
for (const line of found) console.log(line);
process.exit(found.length === 0 ? 0 : 1);
