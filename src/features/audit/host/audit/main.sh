# Main script of the audit: prints all sections, or with PARTS=software only those for known vulnerabilities.
# Needs functions: accounts_facts api_facts audit_facts dockerd_facts end file_facts hardening_facts host_facts read_back software_facts sshd_facts
# Needs variables: PARTS
# Needs programs: id od stat tr

main() {
  nonce=$(od -An -N 16 -t x1 /dev/urandom | tr -d ' \n')
  [ "${#nonce}" = 32 ] || return 70
  gnu_stat=no
  stat --printf '' / && gnu_stat=yes
  printf 'docker-tls-audit 1 %s\n' "$nonce"
  # IDs of a user that audits their own daemon.
  [ "$(id -u)" = 0 ] || {
    printf '%s' "$(id -u):$(id -g)"
    end owner
  }
  host_facts
  [ "${PARTS:-all}" = software ] || {
    audit_facts
    read_back
    hardening_facts
    sshd_facts
    accounts_facts
  }
  dockerd_facts
  [ "${PARTS:-all}" = software ] || file_facts
  software_facts
  api_facts
  end 'done'
}

main </dev/null 2>/dev/null
