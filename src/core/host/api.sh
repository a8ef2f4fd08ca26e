# Docker API client over a local socket, with the programs that the host has.
# Needs programs: curl ls perl python3 sed

# Sends GET requests over a local socket: api SOCKET NONCE PATH…. Prints for each path the answer, newline, `--NONCE api STATUS PATH`,
# newline (src/core/domain/dockerd/sections.ts). STATUS is 000 without an answer, and then no further path is requested. Other programs
# get the nonce on stdin, because no other process can read that. Status 2: the host has no HTTP client.
api() {
  [ $# -gt 2 ] || return 0
  # An old curl does not know the option (status 2) and would resolve a host called docker.
  if command -v curl >/dev/null 2>&1; then
    api_curl "$@" 2>/dev/null
    [ $? = 2 ] || return 0
  fi
  if command -v perl >/dev/null 2>&1; then
    api_perl "$@" 2>/dev/null
  elif command -v python3 >/dev/null 2>&1; then
    api_python "$@" 2>/dev/null
  else
    return 2
  fi
}

api_curl() {
  socket=$1
  {
    printf 'silent\ngloboff\nfail-early\nmax-time = 15\nwrite-out = "\\n--%s api %%{http_code} %%{url_effective}\\n"\n' "$2"
    shift 2
    printf 'url = "http://docker%s"\n' "$@"
  } | curl -q --unix-socket "$socket" -K -
}

api_perl() {
  printf '%s\n' "$@" | perl -e '
    use strict; use Socket;
    chomp(my $socket = <STDIN>); chomp(my $nonce = <STDIN>);
    while (my $path = <STDIN>) {
      chomp $path;
      my ($status, $answer, $s) = ("000", "");
      if (socket($s, AF_UNIX, SOCK_STREAM, 0) && connect($s, pack_sockaddr_un($socket))) {
        eval {
          local $SIG{ALRM} = sub { die "late\n" };
          alarm 15;
          syswrite($s, "GET $path HTTP/1.0\r\nHost: docker\r\n\r\n");
          1 while sysread($s, $answer, 65536, length $answer);
          alarm 0;
        };
        $status = $1 if $answer =~ s/^HTTP\/1\.[01] ([0-9]{3})[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n//;
      }
      $answer = "" if $status eq "000";
      print $answer, "\n--$nonce api $status $path\n";
      last if $status eq "000";
    }'
}

api_python() {
  printf '%s\n' "$@" | python3 -c '
import http.client, socket, sys
lines = sys.stdin.read().split("\n")
out = sys.stdout.buffer
class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(15)
        self.sock.connect(lines[0])
for path in filter(None, lines[2:]):
    try:
        link = Local("docker")
        link.request("GET", path)
        answer = link.getresponse()
        status, body = answer.status, answer.read()
        link.close()
    except Exception:
        status, body = 0, b""
    out.write(body + ("\n--%s api %03d %s\n" % (lines[1], status, path)).encode())
    if status == 0:
        break
'
}

# Sets `socket` to the path where the daemon PID answers local clients: its first open socket, in the kernel's order, with an existing
# file. Empty: none. A socket that the daemon opened itself comes first, since the daemon may ignore one that systemd passes to it. Sets
# `lost` to a socket without its file.
local_socket() {
  # As few processes as possible: inodes of sockets below the name of each directory, then the kernel's lines, each prefixed with `@`.
  listed=$(ls -l "/proc/$1/fd" /proc/1/fd 2>/dev/null 9<&- | sed -n -e 's/^.* -> socket:\(\[[0-9]*\]\)$/\1/p' -e '/^\/proc\/[0-9]*\/fd:$/p' \
    -e 's/^[^ ]* [^ ]* [^ ]* 00010000 [^ ]* [^ ]* *\([0-9]*\) \//@\1 \//p' - "/proc/$1/net/unix" 2>/dev/null 9<&-)
  open=${listed%%@*}
  own='' handed=''
  case $open in *"/proc/$1/fd:"*) own=${open#*"/proc/$1/fd:"} && own=${own%%/proc/*} ;; esac
  case $open in *"/proc/1/fd:"*) handed=${open#*"/proc/1/fd:"} && handed=${handed%%/proc/*} ;; esac
  socket='' given='' lost=''
  set -f
  IFS='
'
  for line in $listed; do
    case $line in @*) ;; *) continue ;; esac
    path=${line#* } inode=${line%% *}
    inode=${inode#@}
    # Skip dockerd's internal sockets.
    case $path in */libnetwork/* | */metrics.sock | */swarm/control.sock) continue ;; esac
    case $own in *"[$inode]"*) ;; *) continue ;; esac
    if [ ! -S "$path" ]; then
      lost=$path
      continue
    fi
    case $handed in *"[$inode]"*) given=${given:-$path} ;; *) socket=${socket:-$path} ;; esac
  done
  unset IFS
  set +f
  socket=${socket:-$given}
}
