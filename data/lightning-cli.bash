# SPDX-License-Identifier: MIT
# bash completion of lightning-cli: commands, options (asked from the program itself), stores,
# databases and files.

_lightning_cli_words ()
{
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(compgen -W "$1" -- "$2")
}

_lightning_cli_options ()
{
  lightning-cli "$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

_lightning_cli ()
{
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands='create get put del scan stores shell inspect stat storage bigkeys report check compact checkpoint backup
    restore repair dump load import serve top monitor metrics latency profile trace slow hotkeys memory health events benchmark help'
  local command=("${COMP_WORDS[1]-}")

  if [ "$COMP_CWORD" -eq 1 ]; then
    _lightning_cli_words "$commands --help --version" "$current"
    return
  fi
  if [ "${command[0]}" = help ]; then
    _lightning_cli_words "$commands" "$current"
    return
  fi
  if [ "${command[0]}" = import ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      _lightning_cli_words 'csv json control' "$current"
      return
    fi
    command+=("${COMP_WORDS[2]}")
  fi
  case $previous in
    --store | -s | --drop)
      local word
      for word in "${COMP_WORDS[@]:2}"; do
        if [ -d "$word" ]; then
          _lightning_cli_words "$(lightning-cli stores "$word" 2>/dev/null)" "$current"
          return
        fi
      done
      ;;
    --format | -f | --input | -i)
      _lightning_cli_words 'text escaped hex json' "$current"
      return
      ;;
  esac
  if [[ $current == -* ]]; then
    _lightning_cli_words "$(_lightning_cli_options "${command[@]}")" "$current"
    return
  fi
  compopt -o filenames 2>/dev/null
  COMPREPLY=()
  local path
  while IFS= read -r path; do
    COMPREPLY+=("$path")
  done < <(compgen -f -- "$current")
}

complete -F _lightning_cli lightning-cli
