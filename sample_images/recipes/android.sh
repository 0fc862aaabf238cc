# android_userdata.img: an ext4 file system without a partition table, laid out as a phone's /data is.
# shellcheck shell=bash

make_android() {
  image_name=android_userdata.img
  local image=$out/$image_name d=$work/android
  local telephony=/data/data/com.android.providers.telephony whatsapp=/data/data/com.whatsapp
  local storage=/data/media/0
  local camera=$storage/DCIM/Camera downloads=$storage/Download
  local sent="$storage/Android/media/com.whatsapp/WhatsApp/Media/WhatsApp Images/Sent"
  mkdir -p "$d/telephony" "$d/whatsapp"

  photo "$d/house.jpg" house 480 360 1 "2024:04:28 12:05:00" +01:00
  photo "$d/night.jpg" night 480 360 2 "2024:05:03 22:27:33" +01:00 50.9051 -1.4042
  photo "$d/station.jpg" station 480 360 3 "2024:05:04 05:12:00" +01:00 53.7952 -1.5480
  photo "$d/tree.jpg" tree 360 480 4 "2024:05:05 09:00:00" +01:00 50.9100 -1.4300
  photo "$d/deleted.jpg" sofa 480 360 5 "2024:05:05 13:00:00" +01:00
  photo "$d/whatsapp_night.jpg" night 320 240 2
  photo "$d/mms_scene.jpg" sofa 240 180 6
  photo "$d/missing.jpg" sofa 320 240 7
  media "$d/whatsapp_night.jpg" IMG-20240503-WA0007.jpg 320 240
  media "$d/missing.jpg" IMG-20240505-WA0001.jpg 320 240
  make_mmssms "$d/telephony"
  make_msgstore "$d/whatsapp"
  make_wa "$d/whatsapp"
  make_texts "$d"

  ext4_begin "$image" 12M 5a4d504c-0001-4e54-8f00-000000000001 5a4d504c-0001-4e54-8f00-0000000000ff userdata p0 \
    -N 512 -J size=4
  local directory
  for directory in "$telephony/databases" "$telephony/app_parts" "$whatsapp/databases" "$sent" "$camera" "$downloads" \
    "$downloads/names"; do
    ext4_directory "$directory"
  done
  ext4_file "$d/telephony/mmssms.db" "$telephony/databases/mmssms.db" 2024-05-05T11:00:00Z
  ext4_file "$d/mms_scene.jpg" "$telephony/app_parts/PART_1714904130000_scene.jpg" 2024-05-05T10:15:30Z
  local name
  for name in msgstore.db msgstore.db-wal msgstore.db-shm wa.db; do
    ext4_file "$d/whatsapp/$name" "$whatsapp/databases/$name" 2024-05-05T12:25:00Z
  done
  ext4_file "$d/whatsapp_night.jpg" "$sent/IMG-20240503-WA0007.jpg" 2024-05-03T21:28:05Z
  android_photo "$d/house.jpg" "$camera/IMG_20240428_120500.jpg" 2024-04-28T11:05:00Z
  android_photo "$d/night.jpg" "$camera/IMG_20240503_222733.jpg" 2024-05-03T21:27:33Z
  android_photo "$d/station.jpg" "$camera/IMG_20240504_051200.jpg" 2024-05-04T04:12:00Z
  android_photo "$d/tree.jpg" "$camera/IMG_20240505_090000.jpg" 2024-05-05T08:00:00Z
  record_picture p0 "$telephony/app_parts/PART_1714904130000_scene.jpg" "$d/mms_scene.jpg"
  record_picture p0 "$sent/IMG-20240503-WA0007.jpg" "$d/whatsapp_night.jpg"
  ext4_hard_link "$camera/IMG_20240505_090000.jpg" "$downloads/wallpaper.jpg" "$d/tree.jpg" 2024-05-05T08:00:00Z
  record_picture p0 "$downloads/wallpaper.jpg" "$d/tree.jpg"
  ext4_symbolic_link "$downloads/camera" ../DCIM/Camera 2024-05-05T08:00:00Z

  for name in notes_utf16.txt list_shift_jis.txt letter_windows_1252.txt bundle.zip empty.txt; do
    ext4_file "$d/$name" "$downloads/$name" 2024-05-02T09:00:00Z
  done
  android_names "$d" "$downloads/names"

  printf 'deleted photo, saved nowhere else\n' >"$d/deleted.txt"
  ext4_file_to_delete "$d/deleted.jpg" "$camera/IMG_20240505_130000.jpg" 2024-05-05T12:00:00Z
  record_picture p0 "$camera/IMG_20240505_130000.jpg" "$d/deleted.jpg"
  ext4_file_to_delete "$d/deleted.txt" "$downloads/diary.txt" 2024-05-05T12:30:00Z
  ext4_end
}

android_photo() {  # SOURCE PATH TIME
  ext4_file "$@"
  record_picture p0 "$2" "$1"
}

# Texts in the encodings that a run has to read, each with a word that stands nowhere else (keywords.toml).
make_texts() {  # DIRECTORY
  local d=$1 t=$work/zip
  { printf '\xff\xfe'; printf 'Plan for Friday: bring the saltmarsh map.\r\nNo names in this file.\r\n' \
    | iconv -f UTF-8 -t UTF-16LE; } >"$d/notes_utf16.txt"
  iconv -f UTF-8 -t SHIFT_JIS "$here/story/list.txt" >"$d/list_shift_jis.txt"
  iconv -f UTF-8 -t WINDOWS-1252 "$here/story/letter.txt" >"$d/letter_windows_1252.txt"
  : >"$d/empty.txt"
  rm -rf "$t"
  mkdir -p "$t/inner" "$t/outer/letters"
  printf 'Meet at the breakwater.\n' >"$t/inner/deep.txt"
  printf 'The lighthouse is open on Sundays.\n' >"$t/outer/letters/first.txt"
  draw tree 64 48 8 | cjpeg -quality 80 >"$t/outer/tree.jpg"
  touch -d 2024-05-02T08:00:00Z "$t/inner/deep.txt"
  (cd "$t/inner" && zip -X -q -9 ../outer/nested.zip deep.txt)
  touch -d 2024-05-02T08:00:00Z "$t"/outer/*.* "$t/outer/letters/first.txt"
  (cd "$t/outer" && zip -X -q -9 "$d/bundle.zip" letters/first.txt tree.jpg nested.zip)
  record_member bundle.zip /letters/first.txt "$t/outer/letters/first.txt"
  record_member bundle.zip /tree.jpg "$t/outer/tree.jpg"
  record_member bundle.zip /nested.zip "$t/outer/nested.zip"
  record_member bundle.zip '/nested.zip!/deep.txt' "$t/inner/deep.txt"
}

record_member() {  # ARCHIVE MEMBER SOURCE: MEMBER as in a locator, after the first "!"
  printf '%s\t%s\t%s\t%s\t%s\n' "$image_name" "p0/data/media/0/Download/$1" "!$2" "$(stat -c %s "$3")" "$(hex_hash "$3")" \
    >>"$out/expected/members.tsv"
}

# Names that must stay inert wherever they are shown.
android_names() {  # WORK_DIRECTORY TARGET
  local d=$1 target=$2 i=0 name
  local -a names=(
    '<script>alert(1)<' '"><img src=x onerror=alert(2)>.txt' "'; DROP TABLE item; --.txt" '=HYPERLINK("http:example.com","x").txt'
    '@SUM(1+1).csv' $'escape\e[31mred\e[0m.txt' $'tab\there.txt' $'line\nfeed.txt' $'rtl\xe2\x80\xaegpj.exe'
    $'invalid\xff\xfe\x80utf8.txt' 'percent%41;addr@1+2,slack!p1#2.txt' $'combining e\xcc\x81.txt'
    $'\xf0\x9f\x93\xb7 photo.txt' ' leading and trailing space ' '.hidden' '-rf' '${HOME}`id`.txt' '%s%n%x.txt')
  for name in "${names[@]}"; do
    i=$((i + 1))
    printf 'File %d of those with a hostile name.\n' "$i" >"$d/name$i"
    ext4_file "$d/name$i" "$target/$name" 2024-05-02T10:00:00Z 'hostile name'
  done
}
