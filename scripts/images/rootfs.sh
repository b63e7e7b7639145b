# shellcheck shell=bash
# Filling the root directory of an image from files of this machine.

# base_files ROOT: users, name service order and the usual directories
base_files() {
  mkdir -p "$1"/{etc,tmp,proc,sys,dev,run}
  chmod 1777 "$1/tmp"
  printf 'root:x:0:0:root:/:/bin/false\nnonroot:x:65532:65532:nonroot:/tmp:/bin/false\n' > "$1/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' > "$1/etc/group"
  printf 'hosts: files dns\n' > "$1/etc/nsswitch.conf"
}

# copy_libraries ROOT ELF...: the dynamic loader and every library that the files need, under their own paths; not those that
# are found inside ROOT
copy_libraries() {
  local root library
  root=$(realpath "$1")
  shift
  { ldd "$@" || true; } | # says "not a dynamic executable" for some, and fails
    sed -n 's#.*=> \(/[^ ]*\) (0x.*#\1#p; s#^[[:space:]]*\(/[^ ]*\) (0x.*#\1#p' | sort -u |
    while read -r library; do
      [[ $library != "$root"/* ]] || continue
      [ -e "$root$library" ] || install -D -m 755 "$(realpath "$library")" "$root$library"
    done
}
