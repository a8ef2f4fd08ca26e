/** `--help` of a script: the comment that it begins with. */

import { readFileSync } from 'node:fs';

/** Prints it and ends the process where it was asked for. `script`: `process.argv[1]`. */
export function answerHelp([, script, ...args]) {
  if (!args.includes('--help') && !args.includes('-h')) return;
  const [, ...lines] = readFileSync(script, 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  process.stdout.write(
    lines
      .slice(0, end)
      .map((line) => `${line.replace(/^\/\/ ?/, '')}\n`)
      .join(''),
  );
  process.exit();
}
