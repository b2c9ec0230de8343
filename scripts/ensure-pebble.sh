#!/usr/bin/env bash
# Makes sure that pebble is there, a certificate authority for tests, with the name server that it looks names up at.
set -euo pipefail
source "$(dirname "$0")/ensure-packages.sh"
ensure_programs pebble=pebble pebble-challtestsrv=pebble
