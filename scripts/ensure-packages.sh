# Shared by the ensure-*.sh scripts: installs the Debian packages of missing programs where it may, names them where it may not.

# ensure_programs PROGRAM=PACKAGE...
# Returns at once if every program is there. Otherwise installs with apt as root, or prints one line and exits with code 1.
ensure_programs() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair##*=}")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    return 0
  fi
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. Install with your package manager, e.g.: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "Installing ${missing[*]} with apt-get" >&2
  install_without_starting "${missing[@]}"
  for pair in "$@"; do
    if ! command -v "${pair%%=*}" >/dev/null; then
      echo "apt-get could not install ${pair##*=}: ${pair%%=*} is still missing. Install it by hand." >&2
      exit 1
    fi
  done
}

# Debian starts a service as soon as its package is installed, on its well-known port. Tests and benchmarks start their own
# on free ports, so a policy that refuses all starts stands while apt-get runs; one that was there before is left alone.
install_without_starting() {
  local policy=/usr/sbin/policy-rc.d log
  log=$(mktemp)
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
  fi
  rm -f "$log"
}
