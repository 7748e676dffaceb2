#!/usr/bin/env bash
# Installs the packages of deploy/packages.txt that are missing; leaves apt alone when none is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mapfile -t wanted < <(grep -v '^#' packages.txt)
# Node may come from another place than Debian, and its package excludes Debian's npm.
command -v npm >/dev/null || wanted+=(nodejs npm)

if ! command -v dpkg-query >/dev/null; then
  echo "setup: no dpkg-query here; install the equivalents of deploy/packages.txt by hand" >&2
  exit 0
fi
missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "setup: installing ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: neither root nor sudo; ask for: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
