#!/usr/bin/env bash
# Makes sure that the programs are there which tests let the proxy work with, in front of it or as clients; tests start them themselves.
set -euo pipefail
source "$(dirname "$0")/ensure-packages.sh"
# Debian keeps nginx and haproxy in /usr/sbin, which is not in every user's path.
PATH="$PATH:/usr/sbin"
ensure_programs nginx=nginx haproxy=haproxy curl=curl openssl=openssl nghttp=nghttp2-client h2load=nghttp2-client chromium=chromium
