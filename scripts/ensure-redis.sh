#!/usr/bin/env bash
# Makes sure that redis-server is there for the tests, which start it themselves on a free port.
set -euo pipefail
source "$(dirname "$0")/ensure-packages.sh"
ensure_programs redis-server=redis-server redis-cli=redis-tools redis-benchmark=redis-tools
