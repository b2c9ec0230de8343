#!/usr/bin/env bash
# Makes sure that PostgreSQL, its client and its load generator are there for the tests, which start it themselves on a free port.
set -euo pipefail
source "$(dirname "$0")/ensure-packages.sh"
# Debian keeps the server's programs by version, out of every user's path.
for folder in /usr/lib/postgresql/*/bin; do PATH="$PATH:$folder"; done
ensure_programs postgres=postgresql initdb=postgresql pgbench=postgresql psql=postgresql-client
