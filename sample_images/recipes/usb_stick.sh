# usb_stick.img: FAT16 without a partition table; deleted files whose bytes are all still there.
# shellcheck shell=bash

make_usb_stick() {
  image_name=usb_stick.img
  local image=$out/$image_name d=$work/usb
  mkdir -p "$d"
  rm -f "$image"
  truncate -s 4M "$image"
  mkfs.fat --invariant -F 16 -s 1 -i 53A1B1E5 -n STICK "$image" >/dev/null
  photo "$d/garden.jpg" tree 320 240 11 "2024:05:01 15:30:00" +01:00
  photo "$d/gone.jpg" house 320 240 12 "2024:05:03 23:40:00" +01:00 50.9049 -1.4041
  printf 'Nothing of interest on this stick.\r\n' >"$d/readme.txt"
  printf 'The name has letters that are not in ASCII.\r\n' >"$d/long.txt"
  printf 'Before nine: the quarterdeck. After ten: home.\r\n' >"$d/plan.txt"
  # More than a cluster, so that a chain has to be followed.
  awk 'BEGIN { for (i = 1; i <= 200; i++) printf "Line %03d of the deleted list\r\n", i }' >"$d/list.txt"

  fat_directory "$image" DCIM
  fat_directory "$image" old
  fat_file "$image" "$d/readme.txt" README.TXT 2024-05-01T10:00:00Z
  fat_file "$image" "$d/long.txt" $'A long name \xc3\x9cn\xc3\xaf.txt' 2024-05-01T10:00:02Z
  fat_file "$image" "$d/garden.jpg" DCIM/GARDEN.JPG 2024-05-01T15:30:00Z
  record_picture p0 /DCIM/GARDEN.JPG "$d/garden.jpg"
  # Written last and then deleted, so that nothing is put over them.
  fat_file "$image" "$d/gone.jpg" DCIM/gone_picture.jpg 2024-05-03T23:40:00Z deleted
  record_picture p0 /DCIM/gone_picture.jpg "$d/gone.jpg"
  fat_file "$image" "$d/plan.txt" old/the_plan.txt 2024-05-02T20:00:00Z deleted old/_he_plan.txt
  fat_file "$image" "$d/list.txt" deleted_list.txt 2024-05-02T20:10:00Z deleted
  mdel -i "$image" ::DCIM/gone_picture.jpg ::old/the_plan.txt ::deleted_list.txt
}

fat_directory() {  # IMAGE PATH
  mmd -i "$1" "::$2"
  record_item p0 "/$2" directory 1 '' '' '' ''
}

# The time on the file system is a local one without a zone; it is given here as it is written there.
# Deleting overwrites the first letter of a short name: NAME_LEFT has "_" there, as The Sleuth Kit writes it.
fat_file() {  # IMAGE SOURCE PATH TIME [deleted [NAME_LEFT]]
  touch -d "$4" "$2"
  LC_ALL=C.UTF-8 mcopy -m -i "$1" "$2" "::$3"
  local size hash
  size=$(stat -c %s "$2")
  hash=$(hex_hash "$2")
  if [[ ${5:-} == deleted ]]; then
    record_item p0 "/${6:-$3}" file 0 "$size" "$hash" "${4%Z}" 'deleted; all bytes remain'
  else
    record_item p0 "/$3" file 1 "$size" "$hash" "${4%Z}" ''
  fi
}
