// Looks for words of deleted features in what a copy shows to users, and prints each place. The words are what the original's commands have
// and the copy's have not: commands, options, formats. Usage: words.mjs ORIGINAL COPY NAME…
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [original, copy, ...features] = process.argv.slice(2);
process.argv.length = 2;
const { pagesIn } = await import(pathToFileURL(join(original, 'scripts/without.d/strip.mjs')).href);

function run(root, ...argv) {
  const home = { DOCKER_TLS_HOME: join(copy, 'no-store'), HOME: copy, NO_COLOR: '1', PATH: process.env.PATH };
  return spawnSync(process.execPath, [join(root, 'bin/docker-tls.js'), ...argv], { encoding: 'utf8', env: home })
    .stdout;
}

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const commandsOf = (root) => Object.values(JSON.parse(readFileSync(join(root, 'dist/commands.json'), 'utf8')));
const gone = (of) => [...new Set(of(original))].filter((word) => !new Set(of(copy)).has(word));

const words = {
  commands: gone((root) => commandsOf(root).map(({ name }) => name)),
  options: gone((root) => [
    ...commandsOf(root).flatMap(({ options }) => Object.keys(options).map((name) => `--${kebab(name)}`)),
    ...run(root, '__complete', '--').match(/^--[\w-]+/gm),
  ]),
  formats: gone((root) =>
    commandsOf(root).flatMap(({ options }) => Object.values(options).flatMap(({ choices = [] }) => choices)),
  ),
};
const escaped = (all) => all.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
const WORDS = new RegExp(
  [
    `docker(?:-| |\\\\-)tls (?:${escaped(words.commands) || '$^'})(?![\\w-])`,
    `\`(?:${escaped(words.commands) || '$^'})[ \`]`,
    // As help and completion list them.
    `^ *(?:${escaped(words.commands) || '$^'})(?:\\t|  )`,
    `(?<![\\w-])(?:${escaped(words.options) || '$^'})(?![\\w-])`,
    `--format[ =](?:${escaped(words.formats) || '$^'})(?![\\w-])`,
    ...features.map((name) => `(?:src|test)/features/${name}\\b`),
  ].join('|'),
);

const found = [];
function look(where, text) {
  text.split('\n').forEach((line, index) => {
    // Of another program.
    const [word] = WORDS.exec(line.replace(/ansible-inventory .*?--list/, '')) ?? [];
    if (word !== undefined) found.push(`${where}:${index + 1}: ${word.trim()}`);
  });
}

const names = commandsOf(copy).map(({ name }) => name);
look('--help', run(copy, '--help'));
look('completion', run(copy, '__complete', '') + run(copy, '__complete', '--'));
for (const name of names) {
  look(`${name} --help`, run(copy, ...name.split(' '), '--help'));
  look(`completion of ${name}`, run(copy, '__complete', ...name.split(' '), '--'));
}
for (const page of readdirSync(join(copy, 'out/man')))
  look(page, readFileSync(join(copy, 'out/man', page), 'utf8').replaceAll('\\-', '-'));
// Error codes of features are in src/errors, as those of the core.
for (const page of pagesIn(copy).filter((one) => one !== 'docs/lists/errors.md'))
  look(page, readFileSync(join(copy, page), 'utf8'));

for (const [kind, all] of Object.entries(words)) console.log(`${kind}: ${all.join(' ') || 'none'}`);
for (const line of found) console.log(line);
process.exit(found.length === 0 ? 0 : 1);
