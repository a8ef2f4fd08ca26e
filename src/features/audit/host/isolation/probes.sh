# What runs in the containers of the isolation probes, and what they try to reach. perl alone, without its modules.
# Needs programs: cat

# probes listen WORD ADDRESS PORT: prints its port, and answers every connection with the word. probes ask WORD ADDRESS PORT: succeeds if
# such a listener answers. probes ways WORD PID: prints the gateway of a process's network, and an address of the host.
# probes try WORD …, probes gain WORD: print `NAME STATE TEXT` for each attempt
# (src/features/audit/domain/isolation.ts). All of them end by themselves: process 1 of a container needs a handler for that.
write_probes() {
  cat <<'PERL'
$| = 1;
$SIG{ALRM} = sub { exit 1 };
alarm 100;
my ($mode, $token, @words) = @ARGV;
$token .= "\n";

sub address { my ($ip, $port) = @_; pack "S n C4 x8", 2, $port, split /\./, $ip }
sub said { my ($name, $state, $text) = @_; $text =~ s/\s+/ /g; print "$name $state $text\n" }
sub wait_for { my ($file, $writable, $seconds) = @_;
  vec(my $bits = "", fileno $file, 1) = 1;
  return $writable ? select undef, $bits, undef, $seconds : select $bits, undef, undef, $seconds;
}

# Whether a connection opens; with a question or none, what comes back.
sub reach { my ($ip, $port, $question) = @_;
  socket(my $to, 2, 1, 0) or return ("unknown", "$!");
  fcntl $to, 4, 2048;
  unless (connect $to, address($ip, $port)) {
    return ("blocked", "$!") if $! + 0 != 115;
    return ("blocked", "no answer") if wait_for($to, 1, 2) < 1;
    my $error = unpack "i", getsockopt $to, 1, 4;
    if ($error) { $! = $error; return ("blocked", "$!") }
  }
  return ("reached", "") if !defined $question;
  syswrite $to, $question;
  my $answer = "";
  sysread $to, $answer, 512 if wait_for($to, 0, 2) > 0;
  return ("reached", $answer);
}

# A service of ours, by its answer.
sub ours { my ($ip, $port) = @_;
  my ($state, $text) = reach($ip, $port, "");
  ($state, $text) = ("blocked", "another service answers") if $state eq "reached" && $text ne $token;
  return ($state, $state eq "reached" ? "$ip:$port" : "$ip:$port: $text");
}

sub sum { my ($data) = @_;
  my $sum = 0;
  $sum += $_ for unpack "n*", length($data) % 2 ? "$data\0" : $data;
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  return pack "n", ~$sum & 0xffff;
}
sub first_line { open my $file, "<", $_[0] or return ""; my $line = <$file>; chomp $line; return $line }

# Asks the bridge for 127.0.0.1 itself: the container's own kernel would never send this packet (CVE-2020-8558).
sub loopback { my ($gateway, $port) = @_;
  opendir my $devices, "/sys/class/net";
  my ($device) = grep { !/^(?:\.|lo$)/ } readdir $devices;
  my ($mac) = map { (split)[3] } grep { (split)[0] eq $gateway } do { open my $arp, "<", "/proc/net/arp"; <$arp> };
  my ($udp, $wire);
  socket($udp, 2, 2, 0) && connect($udp, address($gateway, 9)) or return ("blocked", "no way to $gateway");
  my (undef, undef, @own) = unpack "S n C4", getsockname $udp;
  return ("unknown", "the address of the bridge is not known") if !$mac || !$device;
  socket($wire, 17, 3, 0x0008) or return ("blocked", "no raw packets: $!");
  bind $wire, pack "S n i x12", 17, 0x0800, first_line("/sys/class/net/$device/ifindex") or return ("unknown", "$!");
  my $addresses = pack "C4 C4", @own, 127, 0, 0, 1;
  my $tcp = pack "n n N N C C n n n", 40000 + $$ % 20000, $port, 1, 0, 80, 2, 1024, 0, 0;
  substr $tcp, 16, 2, sum($addresses . pack("x C n", 6, length $tcp) . $tcp);
  my $ip = pack("C C n n n C C n", 69, 0, 40, 1, 0, 64, 6, 0) . $addresses;
  substr $ip, 10, 2, sum($ip);
  my @ends = map { pack "H12", s/://gr } $mac, first_line("/sys/class/net/$device/address");
  my $frame = join "", @ends, pack("n", 0x0800), $ip, $tcp;
  for (1 .. 2) {
    defined syswrite $wire, $frame or return ("unknown", "$!");
    my $end = time + 1;
    while (time < $end && wait_for($wire, 0, 1) > 0) {
      sysread $wire, my $answer, 2048;
      my ($protocol, $from, $source, $flags) = unpack "x23 C x2 a4 x4 n x11 C", $answer;
      return ("reached", "127.0.0.1:$port of the host") if $protocol == 6 && $from eq "\x7f\0\0\1" && $source == $port && ($flags & 18) == 18;
    }
  }
  return ("blocked", "no answer");
}

# A system call in a process of its own; its error, 0 without one.
sub call { my (@words) = @_;
  my $pid = fork;
  if (!$pid) { exit(syscall($words[0], @words[1 .. $#words]) == -1 ? $! + 0 : 0) }
  waitpid $pid, 0;
  return $? >> 8;
}

if ($mode eq "listen") {
  my $door;
  socket($door, 2, 1, 0) && bind($door, address(@words)) && listen($door, 8) or die "$!\n";
  print +(unpack "S n", getsockname $door)[1], "\n";
  while (accept(my $one, $door)) { syswrite $one, $token; close $one }
} elsif ($mode eq "ask") {
  exit 1 if (ours(@words))[0] ne "reached";
} elsif ($mode eq "ways") {
  my ($back, $door, $ip);
  open my $routes, "<", "/proc/$words[0]/net/route" or exit 1;
  for (<$routes>) { my (undef, $to, $by) = split; $back ||= join ".", unpack "C4", pack "L", hex $by if $to =~ /^0+$/ && $by !~ /^0+$/ }
  open my $own, "<", "/proc/net/fib_trie" or exit 1;
  for (<$own>) { $ip = $1 if /-- ([\d.]+)/; $door ||= $ip if /host LOCAL/ && $ip !~ /^127\./ }
  print "$back $door\n" if $back && $door;
} elsif ($mode eq "gain") {
  open my $secret, "-|", "/set/cat", "/set/secret";
  said("privileges", <$secret> eq $token ? "reached" : "blocked", "a set-user-ID program of root, run by another user");
} else {
  my ($machine, $door, $neighbour, $other, $local, $service, $back, $doors, @ports) = @words;
  said("neighbour", ours($neighbour, 4242)) if $neighbour ne "-";
  said("network", ours($other, 4242)) if $other ne "-";
  said("bridge", ours($door, $service)) if $service ne "-";
  if ($back ne "-" && $local ne "-") {
    my ($state, $text) = ours($back, $local);
    # On the host's own bridge.
    ($state, $text) = loopback($back, $local) if $state ne "reached" && $back eq $door;
    said("loopback", $state, $text);
  }
  my ($unix, $raw);
  my @open = grep { socket($unix, 1, 1, 0) && connect $unix, pack "S a108", 1, $_ }
    "/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock";
  for my $to (map { my $ip = $_; map { [$ip, $_] } @ports } grep { $_ ne "-" } split /,/, $doors) {
    my ($state, $answer) = reach(@$to, "GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n");
    push @open, "http://" . join ":", @$to if $state eq "reached" && $answer =~ m{^HTTP/1\.\d 200 .*^Api-Version:}ims;
  }
  said("api", @open ? ("reached", join " ", @open) : ("blocked", "neither a socket nor plain HTTP on " . join " ", $doors, @ports));
  said("metadata", reach("169.254.169.254", 80));
  said("raw", socket($raw, 2, 3, 1) ? ("reached", "ICMP") : ("blocked", "$!"));
  my ($unshare, $keyctl) = @{{ x86_64 => [272, 250], aarch64 => [97, 219] }->{$machine} || []};
  if ($unshare) {
    my @done = (call($unshare, 0x10000000) ? () : "unshare of a user namespace", call($keyctl, 0, -3, 0) =~ /^(?:0|126)$/ ? "keyctl" : ());
    said("syscalls", @done ? ("reached", join ", ", @done) : ("blocked", "unshare, keyctl"));
  } else { said("syscalls", "unknown", "the numbers of system calls on $machine are not known") }
  said("root", first_line("/proc/self/uid_map") =~ /^\s*0\s+0\s/ ? "reached" : "blocked", "user IDs: " . first_line("/proc/self/uid_map"));
}
PERL
}
