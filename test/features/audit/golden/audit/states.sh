# Brings a lab host into one of the states that the audit is tested on: sh states.sh bad|good|remapped|swarm|odd|web. Run as root inside
# the host, after its first boot ("fresh" is the state without it). Used by test/e2e/audit.test.ts and record.mjs.
set -eu

# A script's process has the script's name.
fake_sshd='printf "#!/bin/sh\nsleep 1d; :\n" >/tmp/sshd; chmod +x /tmp/sshd; exec /tmp/sshd'

import_image() { # NAME CHANGE…
  name=$1
  shift
  docker import "$@" /root/busybox.tar "$name" >/dev/null
}

make_certificates() { # DIRECTORY DAYS KEY-BITS [DAYS-OF-CA [ADDRESS]]
  mkdir -p "$1"
  cd "$1"
  address=${5:-$(hostname -I | cut -d ' ' -f 1)}
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca-key.pem -out ca.pem -days "${4:-3650}" \
    -subj '/CN=audit test CA' -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
  openssl req -newkey "rsa:$3" -nodes -keyout server-key.pem -out server.csr -subj '/CN=audit test server' 2>/dev/null
  printf 'subjectAltName=IP:%s,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' "$address" >server.ext
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days "$2" -extfile server.ext -out server-cert.pem 2>/dev/null
  rm -f server.csr server.ext ca.srl
  cd /
}

restart_docker() {
  systemctl daemon-reload
  systemctl reset-failed docker
  systemctl restart docker
  docker version >/dev/null
}

# Every mistake at once. sshd's files are only written: sshd -T reads them, the running sshd stays usable.
bad() {
  import_image busybox -c 'CMD ["sleep","1d"]'
  mkdir -p /root/build
  echo 'hello' >/root/build/file
  printf 'FROM busybox\nADD file /file\nRUN apt-get update || true\n' >/root/build/Dockerfile
  DOCKER_BUILDKIT=0 docker build -q -t careless /root/build >/dev/null 2>&1
  make_certificates /etc/docker/tls 10 1024
  chmod 0644 /etc/docker/tls/server-key.pem
  chmod 0666 /etc/docker/tls/ca.pem /etc/docker/tls/server-cert.pem
  chown pat:pat /etc/docker/tls/server-key.pem /etc/docker/tls/ca.pem /etc/docker/tls/server-cert.pem
  mkdir -p /etc/docker/certs.d/registry.lab:5000 /etc/systemd/system/docker.service.d /etc/sysconfig
  cp /etc/docker/tls/ca.pem /etc/docker/certs.d/registry.lab:5000/ca.crt
  chmod 0666 /etc/docker/certs.d/registry.lab:5000/ca.crt
  chown pat:pat /etc/docker/certs.d/registry.lab:5000/ca.crt
  cat >/etc/docker/daemon.json <<'JSON'
{
  "hosts": [
    "fd://",
    "tcp://0.0.0.0:2375"
  ],
  "debug": true,
  "experimental": true,
  "insecure-registries": [ "registry.lab:5000" ],
  "seccomp-profile": "unconfined",
  "cgroup-parent": "loose.slice",
  "tls": false,
  "tlskey" : "/etc/docker/tls/server-key.pem",
  "tlscert": "/etc/docker/tls/server-cert.pem",
  "tlscacert":
    "/etc/docker/tls/ca.pem"
}
JSON
  # 20.10 accepts only a file as the profile.
  case $(docker version -f '{{.Server.Version}}') in 20.*) sed -i '/seccomp-profile/d' /etc/docker/daemon.json ;; esac
  printf '[Service]\nExecStart=\nExecStart=%s --containerd=/run/containerd/containerd.sock --iptables=false\n' \
    "$(command -v dockerd)" >/etc/systemd/system/docker.service.d/override.conf
  # A socket unit that opens another port, visible in no flag.
  printf '[Socket]\nListenStream=127.0.0.1:2374\nService=docker.service\nSocketMode=0666\n' >/etc/systemd/system/docker-open.socket
  printf '[Service]\nSockets=docker.socket docker-open.socket\n' >/etc/systemd/system/docker.service.d/sockets.conf
  systemctl daemon-reload
  systemctl stop docker
  systemctl start docker-open.socket
  restart_docker
  chmod 0666 /etc/docker/daemon.json /run/docker.sock /run/containerd/containerd.sock /etc/default/docker \
    "$(systemctl show -p FragmentPath --value docker.service)" "$(systemctl show -p FragmentPath --value docker.socket)"
  chmod 0777 /etc/docker /etc/docker/tls /etc/systemd/system/docker.service.d
  chmod 0666 /etc/systemd/system/docker.service.d/override.conf
  : >/etc/sysconfig/docker
  chmod 0666 /etc/sysconfig/docker
  chown pat:pat /etc/docker /etc/docker/tls /etc/systemd/system/docker.service.d/override.conf /etc/docker/daemon.json /etc/default/docker /etc/sysconfig/docker /run/docker.sock \
    /run/containerd/containerd.sock "$(systemctl show -p FragmentPath --value docker.service)" \
    "$(systemctl show -p FragmentPath --value docker.socket)"
  for user in ops pat noisy; do gpasswd --add "$user" docker >/dev/null; done
  cat >/etc/ssh/sshd_config.d/10-bad.conf <<'SSHD'
LogLevel QUIET
PermitRootLogin yes
MaxAuthTries 12
MaxSessions 50
PubkeyAuthentication no
PasswordAuthentication yes
PermitEmptyPasswords yes
SSHD
  docker rm -f loose >/dev/null 2>&1 || true
  # The runc of 20.10 cannot create privileged containers in the lab.
  run_bad --privileged 2>/dev/null || run_bad
  mkdir -p /srv/shared
  mount --bind /srv/shared /srv/shared
  mount --make-shared /srv/shared
  docker run -d --name loose --cap-add SYS_ADMIN --security-opt seccomp=unconfined --userns host -p 80:80 \
    --cgroup-parent other.slice -v /srv/shared:/shared:shared busybox \
    sh -c "$fake_sshd" >/dev/null 2>&1 || lenient_without_ports
  docker exec -d --privileged -u root loose sleep 1d 2>/dev/null || docker exec -d -u root loose sleep 1d
}

run_bad() { # [--privileged]
  docker rm -f bad >/dev/null 2>&1 || true
  docker run -d --name bad "$@" --pid host --ipc host --uts host --network host --restart always \
    --device /dev/null:/dev/x --ulimit nofile=99:99 -v /var/run/docker.sock:/var/run/docker.sock -v /etc:/host-etc \
    busybox >/dev/null
}

# On some versions iptables=false prevents publishing the port; the rest of the container stays the same.
lenient_without_ports() {
  docker rm -f loose >/dev/null 2>&1 || true
  docker run -d --name loose --cap-add SYS_ADMIN --security-opt seccomp=unconfined --userns host \
    -v /srv/shared:/shared:shared busybox sh -c "$fake_sshd" >/dev/null
}

# Like good, with user namespaces; the lab (a container itself) can then start no container.
remapped() {
  good
  docker rm -f good >/dev/null
  sed -i 's/"userns-remap": ""/"userns-remap": "default"/' /etc/docker/daemon.json
  restart_docker
}

# As good as this benchmark requires, by manual settings.
good() {
  make_certificates /etc/docker/tls 365 2048
  rm /etc/docker/tls/ca-key.pem
  chmod 0400 /etc/docker/tls/server-key.pem
  chmod 0444 /etc/docker/tls/ca.pem /etc/docker/tls/server-cert.pem
  mkdir -p /etc/docker/certs.d/registry.lab:5000 /etc/systemd/system/docker.service.d /etc/sysconfig
  cp -p /etc/docker/tls/ca.pem /etc/docker/certs.d/registry.lab:5000/ca.crt
  : >/etc/sysconfig/docker
  chmod 0644 /etc/sysconfig/docker
  cat >/etc/docker/daemon.json <<'JSON'
{"icc": false, "userns-remap": "", "no-new-privileges": true, "live-restore": true, "userland-proxy": false,
 "log-driver": "syslog", "log-opts": {"syslog-address": "udp://127.0.0.1:514"}, "log-level": "info",
 "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 1024, "Soft": 1024}}}
JSON
  chmod 0644 /etc/docker/daemon.json
  printf '[Service]\nExecStart=\nExecStart=%s -H fd:// -H tcp://0.0.0.0:2376 --containerd=/run/containerd/containerd.sock --tlsverify --tlscacert /etc/docker/tls/ca.pem --tlscert=/etc/docker/tls/server-cert.pem --tlskey /etc/docker/tls/server-key.pem\n' \
    "$(command -v dockerd)" >/etc/systemd/system/docker.service.d/override.conf
  restart_docker
  cat >/etc/ssh/sshd_config.d/10-good.conf <<'SSHD'
LogLevel VERBOSE
PermitRootLogin no
MaxAuthTries 4
MaxSessions 10
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
SSHD
  echo 'DOCKER_CONTENT_TRUST=1' >>/etc/environment
  import_image fine:1.0 -c 'USER 1000:1000' -c 'CMD ["sleep","1d"]' -c 'HEALTHCHECK CMD true'
  docker network create mine >/dev/null
  docker rm -f good >/dev/null 2>&1 || true
  docker run -d --name good --network mine --cap-drop ALL --security-opt no-new-privileges --read-only --memory 64m \
    --cpu-shares 512 --pids-limit 50 --restart on-failure:5 -p 127.0.0.1:8080:8080 fine:1.0 >/dev/null
}

# A carelessly started container.
web() {
  import_image busybox -c 'CMD ["sleep","1d"]'
  docker run -d --name web busybox >/dev/null
}

# Cases missing in the other states: data on the host's file system, an authorization plugin, and a CA that expires soon.
odd() {
  make_certificates /etc/docker/tls 60 2048 60 192.0.2.1
  rm /etc/docker/tls/ca-key.pem
  mkdir -p /etc/docker/plugins
  cat >/usr/local/bin/allow-all <<'PERL'
#!/usr/bin/perl
# Speaks the protocol of authorization plugins (docs.docker.com/engine/extend/plugins_authorization) and allows everything.
use strict; use IO::Socket::UNIX;
unlink "/run/allow-all.sock";
my $door = IO::Socket::UNIX->new(Local => "/run/allow-all.sock", Listen => 16) or die;
while (my $one = $door->accept) {
  next if fork;
  while (defined(my $line = <$one>)) {
    my $size = 0;
    while (defined(my $head = <$one>) ) { last if $head =~ /^\r?\n/; $size = $1 if $head =~ /^content-length: *(\d+)/i; }
    read $one, my $body, $size;
    my $answer = $line =~ /Activate/ ? '{"Implements":["authz"]}' : '{"Allow":true}';
    print $one "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", length $answer, "\r\n\r\n$answer";
    $one->flush;
  }
  exit;
}
PERL
  chmod 0755 /usr/local/bin/allow-all
  echo unix:///run/allow-all.sock >/etc/docker/plugins/allow-all.spec
  systemd-run --quiet --collect --unit=allow-all /usr/local/bin/allow-all
  mkdir -p /srv/docker /etc/systemd/system/docker.service.d
  # overlay2 does not work on the lab's overlay.
  printf '{ "data-root": "/srv/docker", "storage-driver": "vfs", "authorization-plugins": ["allow-all"] }\n' >/etc/docker/daemon.json
  # TLS without verification (--tls alone verifies: seen on 26.1), and a certificate for another name.
  printf '[Service]\nExecStart=\nExecStart=%s -H fd:// -H tcp://0.0.0.0:2376 --containerd=/run/containerd/containerd.sock --tlsverify=false --tlscacert=/etc/docker/tls/ca.pem --tlscert=/etc/docker/tls/server-cert.pem --tlskey=/etc/docker/tls/server-key.pem\n' \
    "$(command -v dockerd)" >/etc/systemd/system/docker.service.d/override.conf
  restart_docker
}

# A swarm of one, on all addresses, with an open overlay network, and a daemon.json that breaks the next start.
swarm() {
  docker swarm init --advertise-addr "$(hostname -I | cut -d ' ' -f 1)" >/dev/null
  docker network create --driver overlay open-overlay >/dev/null
  docker network create --driver overlay --opt encrypted sealed-overlay >/dev/null
  printf '{\n  "containerd": "/run/containerd/containerd.sock",\n  "debug": false,\n  "debug": true,\n}\n' >/etc/docker/daemon.json
}

"$1"
