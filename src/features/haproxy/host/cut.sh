# Ends connections of clients whose access has changed: those that began before a reload live on in the workers of that time.
# Needs variables: KEYS MAP MASTER SERVERS WORKERS
# Needs programs: perl python3

# KEYS: entries of the map that these workers have to forget, for connections that are still in their handshake. SERVERS: BACKEND/SERVER of
# established connections. `shutdown sessions server` would refuse, since the backends of an old worker are stopped. The master process
# opens its socket anew with each reload. HAProxy 3.2 says that a worker has ended, and may leave that answer open.
cut_by_perl() {
  perl -e '
    use strict; use Socket;
    my ($master, $map, $keys, $servers, $workers) = @ARGV;
    sub ask {
      my ($command, $answer) = (shift, "");
      my $s;
      for (1 .. 100) {
        socket($s, AF_UNIX, SOCK_STREAM, 0) or exit 1;
        last if connect($s, pack_sockaddr_un($master));
        close $s;
        exit 1 if $_ == 100;
        select(undef, undef, undef, 0.02);
      }
      eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm 5;
        syswrite($s, "$command\n");
        shutdown($s, 1);
        1 while $answer !~ /^Can.t find the target PID/ && sysread($s, $answer, 65536, length $answer);
        alarm 0;
        1;
      } or exit 1;
      return $answer;
    }
    my %wanted = map { $_ => 1 } split " ", $servers;
    for my $worker (split " ", $workers) {
      ask("\@!$worker del map $map $_") for split " ", $keys;
      for (split /\n/, ask("\@!$worker show sess")) {
        ask("\@!$worker shutdown session $1") if /^(0x[0-9a-f]+): .* be=(\S+) srv=(\S+) / && $wanted{"$2/$3"};
      }
    }' -- "$MASTER" "$MAP" "$KEYS" "$SERVERS" "$WORKERS"
}

cut_by_python() {
  python3 -c '
import re, socket, sys, time
master, map_file, keys, servers, workers = sys.argv[1:]
def ask(command):
    for left in range(100, -1, -1):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(5)
        try:
            s.connect(master)
            break
        except OSError:
            s.close()
            if left == 0:
                raise
            time.sleep(0.02)
    s.sendall((command + "\n").encode())
    s.shutdown(socket.SHUT_WR)
    answer = b""
    while not re.match(b"Can.t find the target PID", answer):
        more = s.recv(65536)
        if not more:
            break
        answer += more
    return answer.decode("latin-1")
for worker in workers.split():
    for key in keys.split():
        ask("@!%s del map %s %s" % (worker, map_file, key))
    for line in ask("@!%s show sess" % worker).splitlines():
        found = re.match(r"(0x[0-9a-f]+): .* be=(\S+) srv=(\S+) ", line)
        if found and "%s/%s" % found.group(2, 3) in servers.split():
            ask("@!%s shutdown session %s" % (worker, found.group(1)))
' "$MASTER" "$MAP" "$KEYS" "$SERVERS" "$WORKERS"
}

# Without a program to ask with, and for `*`, these workers end with everything that they serve.
if [ "$SERVERS" = '*' ]; then
  false
elif command -v perl >/dev/null; then
  cut_by_perl
elif command -v python3 >/dev/null; then
  cut_by_python
else
  false
fi || kill -s TERM $WORKERS 2>/dev/null
:
