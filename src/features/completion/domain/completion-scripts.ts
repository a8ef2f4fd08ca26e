/** Completion scripts: they run `docker-tls __complete` at each TAB, so they never become outdated. */

export const COMPLETION_SCRIPTS = {
  bash: `# bash completion for docker-tls
_docker_tls() {
  local IFS=$'\\n' out directive word
  out=$(docker-tls __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  directive=\${out##*:}
  COMPREPLY=()
  for word in \${out%:*}; do COMPREPLY+=("\${word%%$'\\t'*}"); done
  case $directive in
    0) compopt -o default ;;
    16) compopt -o dirnames ;;
  esac
}
complete -F _docker_tls docker-tls
`,
  zsh: `#compdef docker-tls
# zsh completion for docker-tls
_docker_tls() {
  local out directive line word
  local -a candidates
  out=$(docker-tls __complete "\${(@)words[2,CURRENT]}" 2>/dev/null) || return
  directive=\${out##*:}
  for line in \${(f)out%:*}; do
    word=\${line%%$'\\t'*}
    if [[ $line == *$'\\t'* ]]; then candidates+=("\${word//:/\\\\:}:\${line#*$'\\t'}"); else candidates+=("\${word//:/\\\\:}"); fi
  done
  (( \${#candidates} )) && _describe docker-tls candidates
  case $directive in
    0) _files ;;
    16) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _docker-tls ]]; then _docker_tls "$@"; else compdef _docker_tls docker-tls; fi
`,
  fish: `# fish completion for docker-tls
function __docker_tls_complete
    set -l words (commandline -opc)[2..] (commandline -ct)
    set -l lines (docker-tls __complete $words 2>/dev/null)
    set -l directive $lines[-1]
    set -e lines[-1]
    printf '%s\\n' $lines
    switch $directive
        case ':0'
            __fish_complete_path (commandline -ct)
        case ':16'
            __fish_complete_directories (commandline -ct)
    end
end
complete -c docker-tls -f -a '(__docker_tls_complete)'
`,
  powershell: `# PowerShell completion for docker-tls
Register-ArgumentCompleter -Native -CommandName docker-tls -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { "$_" })
    $typed = if ($wordToComplete) { $wordToComplete } else { '' }
    docker-tls __complete @words $typed 2>$null | Where-Object { $_ -notmatch '^:\\d+$' } | ForEach-Object {
        $word, $summary = $_ -split "\`t", 2
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $(if ($summary) { $summary } else { $word }))
    }
}
`,
} as const;
