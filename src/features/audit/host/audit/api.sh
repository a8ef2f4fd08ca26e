# Docker API answers for the audit.
# Needs functions: api end
# Needs variables: PARTS nonce socket
# Needs programs: awk cut docker grep head readlink sed sort

ask() { api "$socket" "$nonce" "$@"; }

# The first N of a list of IDs, without duplicates.
first() { awk -v most="$1" '!seen[$0]++ && ++count <= most'; }

api_cli() { # only the docker command reaches the socket: no image histories
  docker info --format '{{json .}}'
  end 'api 200 /info'
  docker version --format '{{json .Server}}'
  end 'api 200 /version'
  # shellcheck disable=SC2046 # ids
  docker container inspect $({
    docker ps -q --no-trunc
    docker ps -aq --no-trunc
  } | first 300)
  end 'api 200 /containers/*'
  # shellcheck disable=SC2046
  docker image inspect $(docker images -q --no-trunc | sort -u | head -n 200)
  end 'api 200 /images/*'
  # shellcheck disable=SC2046
  docker network inspect $(docker network ls -q)
  end 'api 200 /networks'
  # shellcheck disable=SC2046
  docker volume inspect $(docker volume ls -q | head -n 1000)
  end 'api 200 /volumes/*'
}

api_facts() {
  [ -S "$socket" ] || return 0
  printf '%s' "$socket"
  end api-socket
  readlink -f -- "$socket"
  end api-socket-target
  # JSON escapes a quote inside a string by a backslash, so a label cannot imitate an "Id" key.
  info=$(ask /info) || {
    command -v docker >/dev/null && api_cli
    return 0
  }
  printf '%s\n' "$info"
  # Each further request to a hanging daemon would wait as well.
  case $info in *" api 200 "*) ;; *) return 0 ;; esac
  [ "${PARTS:-all}" != software ] || {
    ask /version
    return 0
  }
  # Running containers come first, whatever the number of stopped ones.
  lists=$(ask /containers/json '/containers/json?all=1' /images/json /version)
  printf '%s\n' "$lists"
  set -- /networks /volumes
  case $info in *'"LocalNodeState":"active"'*) set -- "$@" /swarm /secrets ;; esac
  # shellcheck disable=SC2046 # ids
  details=$(ask "$@" $(printf '%s' "$lists" | grep -o '"Id":"[0-9a-f]\{64\}"' | first 300 | cut -c 7-70 | sed 's|.*|/containers/&/json|'))
  printf '%s\n' "$details"
  # Effective state of each container's first process.
  set --
  for pid in $(printf '%s' "$details" | grep -o '"Pid":[1-9][0-9]*' | cut -c 7-); do set -- "$@" "/proc/$pid/status"; done
  [ "$#" = 0 ] || {
    grep -H -E '^(NoNewPrivs|Seccomp):' "$@" /dev/null
    end process-status
  }
  # shellcheck disable=SC2046
  ask $(
    printf '%s' "$lists" | grep -o '"Id":"sha256:[0-9a-f]\{64\}"' | sort -u | head -n 200 | cut -c 7-77 |
      sed 's|.*|/images/&/json\
/images/&/history|'
    printf '%s' "$details" | grep -o '"ExecIDs":\["[0-9a-f",]*\]' | grep -o '[0-9a-f]\{64\}' | head -n 100 | sed 's|.*|/exec/&/json|'
  )
}
