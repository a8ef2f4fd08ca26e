/** Tests that share a process with others, and those that need one of their own. */

/** Pure functions and golden cases: hundreds of files that take less time than a process and its modules. */
const SHARING = /^test\/(?:core|features\/[^/]+)\/(?:unit|golden|property)\//;

/** With a hook of a test file in the module: in a process that files share, it is that of the first file alone. */
export const WITH_HOOKS = ['host-sandbox', 'consent', 'cron-job', 'part-checks'];
const IMPORTS_HOOK = new RegExp(`support/(?:${WITH_HOOKS.join('|')})\\.ts'`);

/** What a test adds to a table of the product stays there. */
const ADDS = /\b[A-Z][A-Z_]+\.(?:add|take)\(/;

/** Whether the test in `path` needs a process of its own: only those that share keep no state, replace no module, and take no hook from another file. */
export function needsOwnProcess(path: string, text: string): boolean {
  return !SHARING.test(path) || /\bvi\.mock\(/.test(text) || ADDS.test(text) || IMPORTS_HOOK.test(text);
}
