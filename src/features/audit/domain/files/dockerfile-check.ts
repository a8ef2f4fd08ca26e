/** Type of a check of a Dockerfile. */

import { type Check, type Evidence, judge, type Verdict } from '../check.ts';
import type { Dockerfile, Instruction } from './dockerfile-model.ts';

export type DockerfileCheck = Omit<Check, 'evaluate'> & { readonly evaluate: (file: Dockerfile) => Verdict };

export function at({ line, name }: Instruction, text: string): Evidence {
  return { place: name, text, line };
}

/** The instruction inside ONBUILD; it runs in derived images. */
function triggered(instruction: Instruction): Instruction {
  const found = instruction.name === 'ONBUILD' ? /^([A-Za-z]+)\s+(.*)$/s.exec(instruction.text) : null;
  return found === null ? instruction : { ...instruction, name: (found[1] ?? '').toUpperCase(), text: found[2] ?? '' };
}

/** Judges each instruction. */
export function each(file: Dockerfile, wrong: (instruction: Instruction) => readonly string[]): Verdict {
  return judge(
    file.instructions.flatMap((instruction) => wrong(triggered(instruction)).map((text) => at(instruction, text))),
  );
}

/** Judges the command of each RUN. */
export function run(wrong: (command: string) => string | undefined): DockerfileCheck['evaluate'] {
  return (file) =>
    each(file, ({ name, text }) => {
      const found = name === 'RUN' ? wrong(text) : undefined;
      return found === undefined ? [] : [found];
    });
}
