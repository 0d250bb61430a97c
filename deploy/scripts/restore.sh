#!/bin/sh
# Puts the data of a backup in place of everything that a running Concord cluster holds. Before, it checks the backup, and takes one of what
# is there now.
#
#   restore.sh [--force] FILE      --force: don't ask
#   restore.sh [--force] latest    the newest in CONCORD_BACKUP_DIR (/var/lib/concord-backups)
#
#   CONCORD_BACKUP_BEFORE          no: take none of what is there now
#   CONCORD_ENDPOINT               whom to ask (http://127.0.0.1:4000); any member will do
#   CONCORD_TOKEN_FILE             file that holds a token with the permission admin; or CONCORD_TOKEN itself
set -eu

dir=${CONCORD_BACKUP_DIR:-/var/lib/concord-backups}
concord=${CONCORD_PROGRAM:-concord}

fail() {
  echo "restore.sh: $*" >&2
  exit 1
}

force=no
if [ "${1:-}" = --force ]; then
  force=yes
  shift
fi
[ $# -eq 1 ] || fail "usage: restore.sh [--force] FILE|latest"
file=$1
if [ "$file" = latest ]; then
  file=$(find "$dir" -maxdepth 1 -type f -name '*.backup' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)
  [ -n "$file" ] || fail "there is no backup in $dir"
fi
[ -f "$file" ] || fail "there is no file $file"
if [ -n "${CONCORD_TOKEN_FILE:-}" ]; then
  CONCORD_TOKEN=$(cat "$CONCORD_TOKEN_FILE")
  export CONCORD_TOKEN
fi

"$concord" backup verify "$file" || fail "$file is no good backup; nothing was changed"
if [ $force = no ]; then
  [ -t 0 ] || fail "it replaces all data of the cluster: call it with --force where nobody can be asked"
  printf 'Everything in the cluster is replaced by %s. Go on? (yes/no) ' "$file"
  read -r answer
  [ "$answer" = yes ] || fail "nothing was changed"
fi
if [ "${CONCORD_BACKUP_BEFORE:-yes}" != no ]; then
  before=$dir/before-restore
  umask 077
  mkdir -p "$before"
  "$concord" backup create --path "$before" >/dev/null ||
    fail "no backup of what is there now could be taken, so nothing was changed; CONCORD_BACKUP_BEFORE=no goes on without"
  echo "what was there is in $before"
fi
"$concord" backup restore "$file" --force
"$concord" cluster status >/dev/null || fail "it was restored, but the cluster does not answer"
echo "restored $file"
