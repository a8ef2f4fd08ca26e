# Arguments of the running dockerd.
# Needs variables: dockerd own_socket socket
# Needs programs: tr

use_option() { # NAME VALUE
  case $1 in
    --config-file) config=$2 ;;
    --tlscacert) tls_ca=$2 ;;
    --tlscert) tls_cert=$2 ;;
    --tlskey) tls_key=$2 ;;
    --data-root | --graph | -g) data_root=$2 ;;
    # The first socket that it serves; fd:// is systemd's. Another existing socket may have no server.
    -H | --host) case $2 in unix://?*) : "${own_socket:=${2#unix://}}" ;; fd://*) : "${own_socket:=$socket}" ;; esac ;;
  esac
}

# Like pflag: switches may be grouped; the first letter with a value takes the rest of the word, or the next word.
read_shorthands() { # LETTERS
  letters=$1
  while [ -n "$letters" ]; do
    rest=${letters#?}
    letter=${letters%"$rest"}
    case $letter:$rest in
      [Dhv]:=?*) return ;;
      [Dhv]:*) letters=$rest ;;
      *:)
        wanted=-$letter
        return
        ;;
      *)
        use_option "-$letter" "${rest#=}"
        return
        ;;
    esac
  done
}

read_arguments() {
  wanted=
  set -f
  IFS='
'
  # shellcheck disable=SC2046 # one word per line is meant
  set -- $(tr '\000' '\n' <"/proc/$dockerd/cmdline")
  unset IFS
  set +f
  for word in "$@"; do
    if [ -n "$wanted" ]; then
      use_option "$wanted" "$word"
      wanted=
      continue
    fi
    case $word in
      --) break ;;
      --config-file=* | --tlscacert=* | --tlscert=* | --tlskey=* | --host=* | --data-root=* | --graph=*)
        use_option "${word%%=*}" "${word#*=}"
        ;;
      --host | --config-file | --tlscacert | --tlscert | --tlskey | --data-root | --graph) wanted=$word ;;
      --*) ;;
      -?*) read_shorthands "${word#-}" ;;
    esac
    case $word in --tls | --tls=* | --tlsverify | --tlsverify=*) uses_tls=yes ;; esac
  done
}
