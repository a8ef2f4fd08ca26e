# Gathers the facts, all of them.
# Needs functions: daemon_facts end local_socket more_paths_facts network_facts other_docker_facts paths_facts
# Needs functions: program_facts read_service record_facts service_facts settings_facts system_facts
# Needs variables: nonce pid
# Needs programs: cat

printf 'docker-tls-facts 1 %s\n' "$nonce"
read_service
socket=
if [ "${pid:-0}" -gt 0 ] 2>/dev/null; then socket=$(local_socket "$pid"); fi
# Both at the same time; the daemon's answers wait in the pipe.
exec 3>&1
daemon_facts | {
  {
    more_paths_facts
    system_facts
    service_facts
    other_docker_facts
    settings_facts
    record_facts
    network_facts
    program_facts
    paths_facts
  } >&3
  cat >&3
}
end 'done'
