# Options of the build. Nothing here touches CMAKE_CXX_FLAGS: what we ask of our own code lies in one
# interface target that is linked privately and never exported.
include(GNUInstallDirs)

option(TOUCHSTONE_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(TOUCHSTONE_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(TOUCHSTONE_FUZZ "Link the fuzz targets with libFuzzer (clang) instead of the replay driver" OFF)
option(TOUCHSTONE_GPL_PLUGINS "Build plugins that link GPL libraries (see docs/licences.md)" ON)
option(TOUCHSTONE_WERROR "Treat warnings as errors" ON)
set(TOUCHSTONE_CORPUS "$ENV{TOUCHSTONE_CORPUS}" CACHE PATH "Folder of real test files; tests that need it are skipped without it")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(touchstone_build INTERFACE)
target_compile_options(touchstone_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 sees overlaps in std::string that are not there (GCC bug 105651)
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual>
  $<$<BOOL:${TOUCHSTONE_WERROR}>:-Werror>
  -fstack-protector-strong)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(touchstone_build INTERFACE _FORTIFY_SOURCE=2)
endif()
if(TOUCHSTONE_SANITIZE)
  target_compile_options(touchstone_build INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(touchstone_build INTERFACE -fsanitize=address,undefined)
  find_program(TOUCHSTONE_LLD ld.lld)
  mark_as_advanced(TOUCHSTONE_LLD)
  if(TOUCHSTONE_LLD)
    target_link_options(touchstone_build INTERFACE -fuse-ld=lld)  # half the time of GNU ld for programs of this size
  endif()
endif()
if(TOUCHSTONE_FUZZ)
  # Coverage of our own libraries: without it libFuzzer sees only the target's file and mutates blindly.
  target_compile_options(touchstone_build INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(touchstone_build INTERFACE -fsanitize=fuzzer-no-link)
endif()

# touchstone_module(NAME SOURCES ... LINK ... PRIVATE_LINK ...): one folder of lib/ as a static library
# `touchstone_NAME`. Headers are included as "NAME/header.hpp"; LINK names what its headers need.
function(touchstone_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  if(NOT ARG_SOURCES)
    return()
  endif()
  add_library(touchstone_${name} STATIC ${ARG_SOURCES})
  target_include_directories(touchstone_${name} PUBLIC ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/lib/include)
  target_link_libraries(touchstone_${name} PUBLIC ${ARG_LINK} PRIVATE touchstone_build ${ARG_PRIVATE_LINK})
endfunction()
