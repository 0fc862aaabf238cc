# Shared by the recipes: one clock, one locale, the ledger of what was put in, and an ext4 file system filled by
# debugfs, so that no directory order, time or owner of this machine gets into an image.
# shellcheck shell=bash

export TZ=UTC LC_ALL=C
# Fake times of the tools that would write "now".
base_time=$(date -d 2024-05-06T08:00:00Z +%s)
export E2FSPROGS_FAKE_TIME=$base_time SOURCE_DATE_EPOCH=$base_time
# Nobody's settings.
export MTOOLSRC=/dev/null SQLITE_HISTORY=/dev/null HOME=/nonexistent

fail() { printf 'make: %s\n' "$*" >&2; exit 1; }
epoch() { date -d "$1" +%s; }
hex_hash() { sha256sum -- "$1" | cut -c1-64; }
base64_hash() { hex_hash "$1" | tr a-f A-F | basenc --base16 -d | base64 -w0; }

# Raw bytes of a path as they stand in a locator (lib/model/locator.hpp): punctuation of locators, control
# characters, direction marks and invalid UTF-8 as %XX. Valid UTF-8 stays.
escape_path() {
  local text=$1 out='' byte hex i valid=yes
  printf '%s' "$text" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1 || valid=no
  for ((i = 0; i < ${#text}; i++)); do
    byte=${text:i:1}
    case $byte in
      [%!@\;,#]) printf -v hex '%%%02X' "'$byte" && out+=$hex ;;
      [[:cntrl:]]) printf -v hex '%%%02X' "'$byte" && out+=$hex ;;
      [[:print:]]) out+=$byte ;;
      *) if [[ $valid == yes ]]; then out+=$byte; else
           hex=$(printf '%s' "$byte" | od -An -tx1 | tr -d ' \n' | tr a-f A-F) && out+=%$hex
         fi ;;
    esac
  done
  out=${out//$'\xe2\x80\xae'/%E2%80%AE}
  printf '%s' "$out"
}

# The ledger: one row an item. record_item VOLUME PATH KIND ALLOCATED SIZE SHA256 MODIFIED NOTE
record_item() {
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$image_name" "$1" "$(escape_path "$2")" "$3" "$4" "$5" "$6" "$7" "$8" \
    >>"$out/expected/items.tsv"
}
record_file() {  # VOLUME PATH SOURCE MODIFIED [NOTE]
  record_item "$1" "$2" file 1 "$(stat -c %s "$3")" "$(hex_hash "$3")" "$4" "${5:-}"
}

# --- ext4 ---------------------------------------------------------------------------------------------------
# ext4_begin FILE SIZE UUID HASH_SEED LABEL VOLUME [mke2fs options]: VOLUME is the locator's name for it.
ext4_begin() {
  local file=$1 size=$2 uuid=$3 seed=$4 label=$5
  ext4_volume=$6
  shift 6
  ext4_image=$file ext4_commands=$work/debugfs.$label
  : >"$ext4_commands"
  declare -gA ext4_made=()
  declare -ga ext4_deletions=()
  rm -f "$file"
  truncate -s "$size" "$file"
  mke2fs -q -F -t ext4 -b 4096 -I 256 -U "$uuid" -L "$label" \
    -E "hash_seed=$seed,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" "$@" "$file"
}

debugfs_quote() { printf '"%s"' "${1//\"/\"\"}"; }

# All times of an inode, and owner and mode, which debugfs takes from the file it copies.
ext4_attributes() {  # PATH TIME [MODE]
  local name field
  name=$(debugfs_quote "$1")
  for field in atime ctime mtime crtime; do
    printf 'sif %s %s @%s\n' "$name" "$field" "$(epoch "$2")"
  done >>"$ext4_commands"
  printf 'sif %s uid 0\nsif %s gid 0\nsif %s mode 0%s\n' "$name" "$name" "$name" "${3:-100644}" >>"$ext4_commands"
}

ext4_directory() {  # PATH, with all its parents
  local path='' part
  local -a parts
  IFS=/ read -r -a parts <<<"${1#/}"
  for part in "${parts[@]}"; do
    path+=/$part
    [[ -z ${ext4_made[$path]:-} ]] || continue
    ext4_made[$path]=yes
    printf 'mkdir %s\n' "$(debugfs_quote "$path")" >>"$ext4_commands"
    record_item "$ext4_volume" "$path" directory 1 '' '' '' ''
  done
}

# ext4_file SOURCE PATH TIME [NOTE]. debugfs takes one command a line, so a name with a line feed goes in later.
ext4_file() {
  local source=$1 path=$2 time=$3
  if [[ $path == *$'\n'* ]]; then
    ext4_run
    debugfs -w -R "write $(debugfs_quote "$source") $(debugfs_quote "$path")" "$ext4_image" >/dev/null 2>&1
    local inode
    inode=$(debugfs -R "stat $(debugfs_quote "$path")" "$ext4_image" 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')
    ext4_attributes "<$inode>" "$time"
  else
    printf 'write %s %s\n' "$(debugfs_quote "$source")" "$(debugfs_quote "$path")" >>"$ext4_commands"
    ext4_attributes "$path" "$time"
  fi
  record_file "$ext4_volume" "$path" "$source" "$time" "${4:-}"
}

ext4_hard_link() {  # EXISTING NEW SOURCE TIME: debugfs leaves the count of links to us
  printf 'ln %s %s\nsif %s links_count 2\n' "$(debugfs_quote "$1")" "$(debugfs_quote "$2")" "$(debugfs_quote "$1")" \
    >>"$ext4_commands"
  record_file "$ext4_volume" "$2" "$3" "$4" "hard link of $1"
  printf '%s\t%s\t%s\t%s\n' "$image_name" "$ext4_volume" "$(escape_path "$1")" "$(escape_path "$2")" \
    >>"$out/expected/hard_links.tsv"
}

ext4_symbolic_link() {  # PATH TARGET TIME
  printf 'symlink %s %s\n' "$(debugfs_quote "$1")" "$(debugfs_quote "$2")" >>"$ext4_commands"
  ext4_attributes "$1" "$3" 120777
  record_item "$ext4_volume" "$1" link 1 "${#2}" '' "$3" "to $2"
}

# Runs what has been asked for so far. debugfs goes on after an error and returns 0: its words are looked at.
ext4_run() {
  local said
  said=$(debugfs -w -f "$ext4_commands" "$ext4_image" 2>&1 | grep -v -e '^debugfs' -e '^Allocated inode' -e '^$' || true)
  [[ -z $said ]] || fail "debugfs on $ext4_image: $said"
  : >"$ext4_commands"
}

# To be deleted at the very end, so that nothing takes the freed inode and blocks.
ext4_file_to_delete() {  # SOURCE PATH TIME
  printf 'write %s %s\n' "$(debugfs_quote "$1")" "$(debugfs_quote "$2")" >>"$ext4_commands"
  ext4_attributes "$2" "$3"
  ext4_deletions+=("$2")
  record_item "$ext4_volume" "$2" file 0 "$(stat -c %s "$1")" "$(hex_hash "$1")" "$3" 'deleted; inode and bytes remain'
}

ext4_end() {
  local path
  for path in "${ext4_deletions[@]}"; do printf 'rm %s\n' "$(debugfs_quote "$path")" >>"$ext4_commands"; done
  ext4_run
  e2fsck -fn "$ext4_image" >"$work/e2fsck.log" 2>&1 || fail "e2fsck finds faults: $(cat "$work/e2fsck.log")"
}
