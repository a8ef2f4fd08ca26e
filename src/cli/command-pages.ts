/** Commands as data without their code, for completion and help: `commands.json` of the build. */

import { existsSync, readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';
import type { CommandEntry, CommandPage } from './command.ts';
import { COMMANDS } from './commands.ts';

/** From the build, or from the command itself where there is no build. */
export async function pageOf(entry: CommandEntry): Promise<CommandPage> {
  const text = ownFile('commands.json');
  if (text === undefined) return entry.load();
  const pages: Record<string, CommandPage> = JSON.parse(text);
  return pages[entry.name] ?? entry.load();
}

/** For the build: every command by its name. */
export async function commandPages(): Promise<Readonly<Record<string, CommandPage>>> {
  const commands = await Promise.all(COMMANDS.map(async (entry) => [entry.name, await entry.load()] as const));
  return Object.fromEntries(commands.map(([name, { run: _, ...page }]) => [name, page]));
}

/** A file of the build, next to the bundle or inside the single executable; undefined without a build (tests). */
function ownFile(name: string): string | undefined {
  if (isSea()) return getAsset(name, 'utf8');
  const file = new URL(name, import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
