#!/usr/bin/env bash
# Makes sure that the benchmark's peers and its load generator are there.
set -euo pipefail
source "$(dirname "$0")/ensure-packages.sh"
# Debian keeps nginx and haproxy in /usr/sbin, which is not in every user's path.
PATH="$PATH:/usr/sbin"
ensure_programs nginx=nginx haproxy=haproxy wrk=wrk h2load=nghttp2-client
