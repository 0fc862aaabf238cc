# Every library the project links, found once, each with the Debian package that brings it (scripts/setup).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)       # libssl-dev
find_package(ZLIB REQUIRED)                             # zlib1g-dev
find_package(BZip2 REQUIRED)                            # libbz2-dev
find_package(LibLZMA REQUIRED)                          # liblzma-dev
find_package(SQLite3 REQUIRED)                          # libsqlite3-dev
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)  # libboost-program-options-dev
find_package(OpenCV 4.6 REQUIRED COMPONENTS core imgproc imgcodecs dnn)  # libopencv-{core,imgproc,imgcodecs,dnn}-dev
find_package(nlohmann_json 3.11 REQUIRED)               # nlohmann-json3-dev
find_package(fmt 9 REQUIRED)                            # libfmt-dev
find_package(Protobuf REQUIRED)                         # libprotobuf-dev protobuf-compiler
pkg_check_modules(TSK REQUIRED IMPORTED_TARGET tsk)     # libtsk-dev
pkg_check_modules(ARGON2 REQUIRED IMPORTED_TARGET libargon2)      # libargon2-dev
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)    # libdeflate-dev
pkg_check_modules(MAGIC REQUIRED IMPORTED_TARGET libmagic)        # libmagic-dev
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)    # libseccomp-dev
pkg_check_modules(HYPERSCAN REQUIRED IMPORTED_TARGET libhs)       # libhyperscan-dev
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)    # libarchive-dev
pkg_check_modules(ZIP REQUIRED IMPORTED_TARGET libzip)            # libzip-dev
pkg_check_modules(UCHARDET REQUIRED IMPORTED_TARGET uchardet)     # libuchardet-dev
pkg_check_modules(BLKID REQUIRED IMPORTED_TARGET blkid)           # libblkid-dev
pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus)   # libtomlplusplus-dev
pkg_check_modules(PLIST REQUIRED IMPORTED_TARGET libplist-2.0)    # libplist-dev
pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat)           # libexpat1-dev
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)        # libgmime-3.0-dev
pkg_check_modules(QPDF REQUIRED IMPORTED_TARGET libqpdf)          # libqpdf-dev
# libphonenumber-dev: Debian's package has neither a .pc file nor one of CMake.
find_library(PHONENUMBER_LIBRARY phonenumber REQUIRED)
find_path(PHONENUMBER_INCLUDE phonenumbers/phonenumberutil.h REQUIRED)
add_library(touchstone_phonenumber INTERFACE IMPORTED GLOBAL)
target_link_libraries(touchstone_phonenumber INTERFACE ${PHONENUMBER_LIBRARY})
target_include_directories(touchstone_phonenumber SYSTEM INTERFACE ${PHONENUMBER_INCLUDE})
if(TOUCHSTONE_GPL_PLUGINS)
  pkg_check_modules(EXIV2 REQUIRED IMPORTED_TARGET exiv2)         # libexiv2-dev (GPL-2+)
  pkg_check_modules(POPPLER REQUIRED IMPORTED_TARGET poppler-cpp)  # libpoppler-cpp-dev (GPL-2+)
endif()
