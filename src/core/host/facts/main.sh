# Main script of the facts.
# Needs functions: end find_kind local_socket more_paths_facts network_facts other_docker_facts paths_facts
# Needs functions: program_facts read_service record_facts service_facts settings_facts system_facts
# Needs variables: asker nonce pid
# Needs programs: cat

printf 'docker-tls-facts 1 %s\n' "$nonce"
find_kind
# Three groups in parallel, by their source: the host, the daemon, and the rest. The first two wait in their pipes.
exec 3>&1
{
  system_facts
  other_docker_facts
  network_facts
} | {
  read_service
  socket=
  if [ "${pid:-0}" -gt 0 ] 2>/dev/null; then local_socket "$pid"; fi
  "$asker" | {
    {
      more_paths_facts
      service_facts
      settings_facts
      record_facts
      program_facts
      paths_facts
    } >&3
    cat >&3
  }
  cat >&3
}
end 'done'
