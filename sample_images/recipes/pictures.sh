# Pictures: plain drawings made here, so that nobody is in them and nothing needs a licence; with the EXIF data of a
# phone's camera.
# shellcheck shell=bash

# draw SCENE WIDTH HEIGHT SEED: a text PPM on standard output.
draw() {
  awk -v scene="$1" -v w="$2" -v h="$3" -v seed="$4" '
    function noise(x, y) { return (x * 7 + y * 13 + x * y * 3 + seed * 31) % 17 - 8 }
    function inside(x, y, x0, y0, x1, y1) { return x >= x0 * w && x < x1 * w && y >= y0 * h && y < y1 * h }
    function disc(x, y, cx, cy, r) { return (x - cx * w) ^ 2 + (y - cy * h) ^ 2 < (r * h) ^ 2 }
    function clamp(v) { return v < 0 ? 0 : v > 255 ? 255 : int(v) }
    BEGIN {
      printf "P3\n%d %d\n255\n", w, h
      for (y = 0; y < h; y++) for (x = 0; x < w; x++) {
        r = 120; g = 170; b = 225 - 60 * y / h                                   # sky by day
        if (scene == "night" || scene == "station") { r = 18; g = 22; b = 50 + 40 * y / h }
        if (scene == "house" || scene == "tree") {
          if (y > 0.7 * h) { r = 70; g = 140; b = 60 }
          if (disc(x, y, 0.85, 0.18, 0.1)) { r = 250; g = 220; b = 90 }
        }
        if (scene == "house") {
          if (inside(x, y, 0.25, 0.4, 0.65, 0.8)) { r = 180; g = 90; b = 70 }
          if (inside(x, y, 0.32, 0.48, 0.42, 0.6) || inside(x, y, 0.48, 0.48, 0.58, 0.6)) { r = 230; g = 230; b = 180 }
          if (y >= 0.22 * h && y < 0.4 * h && x > (0.45 - (y / h - 0.22)) * w && x < (0.45 + (y / h - 0.22)) * w) { r = 90; g = 50; b = 40 }
        }
        if (scene == "tree") {
          if (inside(x, y, 0.46, 0.5, 0.52, 0.85)) { r = 100; g = 70; b = 40 }
          if (disc(x, y, 0.49, 0.38, 0.22)) { r = 40; g = 110; b = 50 }
        }
        if (scene == "night") {
          if (inside(x, y, 0.1, 0.35, 0.4, 1) || inside(x, y, 0.5, 0.2, 0.8, 1)) { r = 40; g = 40; b = 46 }
          if (inside(x, y, 0.55, 0.3, 0.6, 0.38) || inside(x, y, 0.2, 0.5, 0.26, 0.6)) { r = 240; g = 210; b = 120 }
          if (disc(x, y, 0.9, 0.15, 0.06)) { r = 235; g = 235; b = 225 }
        }
        if (scene == "station") {
          if (y > 0.75 * h) { r = 70; g = 70; b = 74 }
          if (inside(x, y, 0.05, 0.45, 0.75, 0.75)) { r = 200; g = 200; b = 60 }
          if (inside(x, y, 0.1, 0.5, 0.7, 0.6)) { r = 60; g = 80; b = 110 }
          if (disc(x, y, 0.2, 0.76, 0.06) || disc(x, y, 0.6, 0.76, 0.06)) { r = 20; g = 20; b = 20 }
        }
        if (scene == "sofa") {
          r = 205; g = 195; b = 180
          if (inside(x, y, 0.15, 0.45, 0.85, 0.6)) { r = 60; g = 90; b = 130 }
          if (inside(x, y, 0.1, 0.58, 0.9, 0.82)) { r = 75; g = 110; b = 150 }
        }
        n = noise(x, y)
        printf "%d %d %d\n", clamp(r + n), clamp(g + n), clamp(b + n)
      }
    }'
}

# photo FILE SCENE WIDTH HEIGHT SEED [LOCAL_TIME OFFSET [LATITUDE LONGITUDE]]: LOCAL_TIME as EXIF writes it. Adds the
# facts to the list of pictures, for `picture_facts` to give once it is known where the picture went.
photo() {
  local file=$1 scene=$2 width=$3 height=$4 seed=$5 taken=${6:-} offset=${7:-} latitude=${8:-} longitude=${9:-}
  draw "$scene" "$width" "$height" "$seed" | cjpeg -quality 85 -optimize >"$file"
  local -a tags=()
  if [[ -n $taken ]]; then
    tags+=("-Make=Example" "-Model=Phone 1" "-DateTimeOriginal=$taken" "-CreateDate=$taken"
      "-OffsetTimeOriginal=$offset" "-OffsetTimeDigitized=$offset")
  fi
  if [[ -n $latitude ]]; then
    tags+=("-GPSLatitude=$latitude" "-GPSLatitudeRef=$latitude" "-GPSLongitude=$longitude"
      "-GPSLongitudeRef=$longitude")
  fi
  ((${#tags[@]} == 0)) || exiftool -q -q -overwrite_original "${tags[@]}" "$file"
  local utc=''
  [[ -z $taken ]] || utc=$(date -d "$(sed 's/:/-/;s/:/-/' <<<"$taken") $offset" +%Y-%m-%dT%H:%M:%SZ)
  picture_facts[$file]="$width	$height	$utc	${taken:+Example Phone 1}	$latitude	$longitude"
}
declare -A picture_facts=()

record_picture() {  # VOLUME PATH SOURCE
  printf '%s\t%s\t%s\t%s\t%s\n' "$image_name" "$1" "$(escape_path "$2")" "$(hex_hash "$3")" "${picture_facts[$3]}" \
    >>"$out/expected/pictures.tsv"
}
