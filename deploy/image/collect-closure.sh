#!/bin/sh
# Copies programs and all that the dynamic loader needs to start them into a root of their own, so that the image holds
# what runs and nothing else: collect-closure.sh ROOT PROGRAM...
# Folders are resolved (/lib is a link to /usr/lib), links to libraries are not kept: each library lies under the name by
# which it is loaded. Fails when a library is missing.
set -eu
root=$1
shift

place() {
  target=$root$(readlink -f "$(dirname "$1")")/$(basename "$1")
  [ -e "$target" ] && return
  mkdir -p "$(dirname "$target")"
  cp -L --preserve=mode "$1" "$target"
}

for program in "$@"; do
  place "$program"
  libraries=$(ldd "$program" 2>/dev/null) || continue # not a dynamic executable
  case $libraries in *'not found'*)
    echo "$program needs libraries that are not installed:" >&2
    echo "$libraries" | grep 'not found' >&2
    exit 1 ;;
  esac
  for library in $(echo "$libraries" | grep -o '/[^ ]*'); do place "$library"; done
done
