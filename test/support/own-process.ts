/** Tests that share a process with others, and those that need one of their own. */

/** Pure functions, golden cases and commands that run in the process: hundreds of files that take less time than a process and its modules. */
const SHARING = /^test\/(?:cli|core\/(?:unit|golden|property)|features\/[^/]+\/(?:unit|golden|property|cli))\//;

/** With a hook of a test file in the module: in a process that files share, it is that of the first file alone. */
export const WITH_HOOKS = ['host-sandbox', 'consent', 'cron-job', 'part-checks'];
const IMPORTS_HOOK = new RegExp(`support/(?:${WITH_HOOKS.join('|')})\\.ts'`);

/** What a test adds to a table of the product stays there, and what is loaded while one is empty stays as it was then. */
const CHANGES_TABLE = /\b[A-Z][A-Z_]+\.(?:(?:add|take|splice)\(|all as )/;

/** Whether the test in `path` needs a process of its own: only those that share keep no state, replace no module, and take no hook from another file. */
export function needsOwnProcess(path: string, text: string): boolean {
  return !SHARING.test(path) || /\bvi\.mock\(/.test(text) || CHANGES_TABLE.test(text) || IMPORTS_HOOK.test(text);
}
