// Counts what reached a host's sshd, by its journal. Commands are in it from LogLevel VERBOSE on (sshd_config(5)).

/** Given a way to read sshd's journal, begins to count; the result gives what came since, as { connections, execs }. */
export function countSsh(readJournal) {
  const count = (words) => readJournal().split(words).length - 1;
  const before = { connections: count('Accepted publickey for '), execs: count('Starting session: ') };
  return () => ({
    connections: count('Accepted publickey for ') - before.connections,
    execs: count('Starting session: ') - before.execs,
  });
}
