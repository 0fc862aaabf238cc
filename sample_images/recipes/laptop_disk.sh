# laptop_disk.img: a GPT disk with a FAT, an ext4 and a btrfs partition. The last has a superblock with a right
# checksum and nothing else: enough to be recognised and to be reported as unsupported.
# shellcheck shell=bash

make_laptop_disk() {
  image_name=laptop_disk.img
  local image=$out/$image_name d=$work/laptop
  mkdir -p "$d"
  rm -f "$image"
  truncate -s 8M "$image"
  sfdisk -q "$image" <<'TABLE'
label: gpt
label-id: 5A4D504C-0003-4E54-8F00-000000000003
first-lba: 2048
start=2048, size=4096, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid=5A4D504C-0003-4E54-8F00-000000000031, name="shared"
start=6144, size=6144, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=5A4D504C-0003-4E54-8F00-000000000032, name="home"
start=12288, size=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=5A4D504C-0003-4E54-8F00-000000000033, name="pool"
TABLE

  rm -f "$d/fat" && truncate -s $((4096 * 512)) "$d/fat"
  mkfs.fat --invariant -F 12 -s 1 -i 53A1B1E6 -n SHARED "$d/fat" >/dev/null
  printf 'Shared partition.\r\n' >"$d/shared.txt"
  touch -d 2024-04-20T12:00:00Z "$d/shared.txt"
  mcopy -m -i "$d/fat" "$d/shared.txt" ::SHARED.TXT
  record_file p1 /SHARED.TXT "$d/shared.txt" 2024-04-20T12:00:00

  photo "$d/house.jpg" house 320 240 21 "2024:04:20 12:00:00" +01:00
  printf 'Minutes of the club, taken at home on 3 May.\n' >"$d/minutes.txt"
  ext4_begin "$d/ext4" $((6144 * 512)) 5a4d504c-0003-4e54-8f00-000000000041 5a4d504c-0003-4e54-8f00-0000000000fe home p2 \
    -N 64 -O ^has_journal
  ext4_directory /home/user/Pictures
  ext4_directory /home/user/Documents
  ext4_file "$d/house.jpg" /home/user/Pictures/house.jpg 2024-04-20T11:00:00Z
  record_picture p2 /home/user/Pictures/house.jpg "$d/house.jpg"
  ext4_file "$d/minutes.txt" /home/user/Documents/minutes.txt 2024-05-03T20:30:00Z
  ext4_end

  btrfs_superblock "$d/btrfs"
  dd if="$d/fat" of="$image" bs=512 seek=2048 conv=notrunc status=none
  dd if="$d/ext4" of="$image" bs=512 seek=6144 conv=notrunc status=none
  dd if="$d/btrfs" of="$image" bs=512 seek=$((12288 + 128)) conv=notrunc status=none
}

# 4,096 bytes as they stand 64 KiB into a btrfs device (on-disk format: btrfs wiki, "On-disk Format", Superblock).
btrfs_superblock() {
  local -a bytes
  local i
  for ((i = 0; i < 4096; i++)); do bytes[i]=0; done
  put() {  # OFFSET WIDTH VALUE, little endian
    local k
    for ((k = 0; k < $2; k++)); do bytes[$1 + k]=$((($3 >> (8 * k)) & 255)); done
  }
  put_text() {  # OFFSET TEXT
    local k
    for ((k = 0; k < ${#2}; k++)); do printf -v "bytes[$(($1 + k))]" '%d' "'${2:k:1}"; done
  }
  for ((i = 0; i < 16; i++)); do bytes[0x20 + i]=$((0x50 + i)); done  # file system's id
  put 0x30 8 65536 && put 0x38 8 1                                     # where it stands; flags: written
  put_text 0x40 _BHRfS_M
  put 0x48 8 1 && put 0x70 8 $((2048 * 512)) && put 0x80 8 6 && put 0x88 8 1
  put 0x90 4 4096 && put 0x94 4 16384 && put 0x98 4 16384 && put 0x9c 4 4096
  put_text 0x12b pool

  # CRC-32C of all that follows the checksum's 32 bytes.
  local -a table
  local value bit crc=$((0xffffffff))
  for ((i = 0; i < 256; i++)); do
    value=$i
    for ((bit = 0; bit < 8; bit++)); do value=$(((value & 1) ? (value >> 1) ^ 0x82f63b78 : value >> 1)); done
    table[i]=$value
  done
  for ((i = 32; i < 4096; i++)); do crc=$((table[(crc ^ bytes[i]) & 255] ^ (crc >> 8))); done
  put 0 4 $((crc ^ 0xffffffff))

  local text=''
  for ((i = 0; i < 4096; i++)); do printf -v text '%s\\x%02x' "$text" "${bytes[i]}"; done
  printf '%b' "$text" >"$1"
}
