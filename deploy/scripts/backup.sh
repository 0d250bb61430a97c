#!/bin/sh
# Takes a backup of a running Concord cluster, checks it, copies it elsewhere if asked, and removes old ones. For cron and timers: it prints
# one line when all went well, and ends with an error when anything did not. docs/OPERATIONS.md tells how it is used.
#
#   backup.sh
#
#   CONCORD_BACKUP_DIR         where backups are kept (/var/lib/concord-backups); made when missing, readable by its owner only
#   CONCORD_BACKUP_KEEP_COUNT  so many of the newest are kept (24)
#   CONCORD_BACKUP_KEEP_DAYS   and all that are younger than so many days (7); what either keeps stays
#   CONCORD_BACKUP_UPLOAD      a shell command that copies "$1" elsewhere: aws s3 cp "$1" s3://bucket/concord/
#                              While it fails, no old backup is removed.
#   CONCORD_ENDPOINT           whom to ask (http://127.0.0.1:4000)
#   CONCORD_TOKEN_FILE         file that holds a token with the permission admin; or CONCORD_TOKEN itself
set -eu

dir=${CONCORD_BACKUP_DIR:-/var/lib/concord-backups}
keep_count=${CONCORD_BACKUP_KEEP_COUNT:-24}
keep_days=${CONCORD_BACKUP_KEEP_DAYS:-7}
upload=${CONCORD_BACKUP_UPLOAD:-}
concord=${CONCORD_PROGRAM:-concord}

fail() {
  echo "backup.sh: $*" >&2
  exit 1
}

is_number() {
  case $1 in
    '' | *[!0-9]*) return 1 ;;
  esac
}

[ $# -eq 0 ] || fail "it takes no arguments; its settings are environment variables (see its first lines)"
is_number "$keep_count" && [ "$keep_count" -ge 1 ] || fail "CONCORD_BACKUP_KEEP_COUNT is \"$keep_count\", not a number from 1"
is_number "$keep_days" || fail "CONCORD_BACKUP_KEEP_DAYS is \"$keep_days\", not a number of days"
if [ -n "${CONCORD_TOKEN_FILE:-}" ]; then
  CONCORD_TOKEN=$(cat "$CONCORD_TOKEN_FILE")
  export CONCORD_TOKEN
fi

umask 077
mkdir -p "$dir"
# One at a time: a slow upload must not meet the next hour's.
exec 9>"$dir/.lock"
flock -n 9 || fail "another backup into $dir is under way"

# It gets its place in $dir when it is known to be good.
rm -rf "$dir"/.unchecked.*
unchecked=$(mktemp -d "$dir/.unchecked.XXXXXX")
trap 'rm -rf "$unchecked"' EXIT
"$concord" backup create --path "$unchecked" >/dev/null || fail "no backup was taken"
set -- "$unchecked"/*.backup
[ $# -eq 1 ] && [ -f "$1" ] || fail "\"concord backup create\" left no file"
"$concord" backup verify "$1" >/dev/null || fail "the backup that was taken is damaged; it is not kept"
backup=$dir/${1##*/}
sync "$1" 2>/dev/null || sync
mv "$1" "$backup"

if [ -n "$upload" ]; then
  sh -c "$upload" upload "$backup" >&2 || fail "$backup is there, but \"$upload\" failed; nothing was removed"
fi

# Here, and on the node, which keeps a copy in its backup.dir.
set -- --keep-count "$keep_count" --keep-days "$keep_days"
removed=$("$concord" backup cleanup --path "$dir" "$@" --output plain) || fail "$backup is there, but old ones could not be removed"
"$concord" backup cleanup "$@" >/dev/null || fail "$backup is there, but old ones on the node could not be removed"
echo "backed up to $backup ($(wc -c <"$backup") bytes), removed $removed old"
