#!/usr/bin/env bash
# Makes sure that nginx and curl are there for the tests of the pages about coming over, which start nginx themselves.
set -euo pipefail
source "$(dirname "$0")/ensure-packages.sh"
# Debian keeps nginx in /usr/sbin, which is not in every user's path.
PATH="$PATH:/usr/sbin"
ensure_programs nginx=nginx curl=curl
