# The question to Docker's API on this host, by whatever the host has. Put in before facts.sh and way-back.sh.

# GET of a path over a local socket: api SOCKET PATH. 1: no answer by any of them; 2: there is nothing to ask with.
api() {
  [ -n "$1" ] || return 1
  asked=2
  for way in curl python3 perl; do
    command -v "$way" >/dev/null 2>&1 || continue
    asked=1
    case $way in
      curl) timeout 10 curl -s --unix-socket "$1" "http://docker$2" ;;
      python3)
        timeout 10 python3 -c 'import http.client,socket,sys
c=http.client.HTTPConnection("docker")
c.sock=socket.socket(socket.AF_UNIX); c.sock.connect(sys.argv[1])
c.request("GET",sys.argv[2]); sys.stdout.buffer.write(c.getresponse().read())' "$1" "$2" ;;
      perl)
        timeout 10 perl -MIO::Socket::UNIX -e '$s=IO::Socket::UNIX->new(Peer=>$ARGV[0]) or exit 1;
print $s "GET $ARGV[1] HTTP/1.0\r\nHost: docker\r\n\r\n"; local $/; $_=<$s>; s/^.*?\r\n\r\n//s; print' "$1" "$2" ;;
    esac 2>/dev/null && return 0
  done
  return "$asked"
}
