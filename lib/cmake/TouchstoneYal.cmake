# touchstone_isolated_yal(NAME): one of Joachim Metz's libraries (libNAME) with the libbfio that it needs as a
# single object file whose own symbols are the only ones to be seen. The shared libraries of that family all carry
# and export the same helpers (libcdata, libfdata, libcerror …) in different versions, and libewf and libtsk bring
# some of them into the process: whichever is loaded first would serve all, with structures of other shapes. The
# result is in ISOLATED_NAME; libbfio_handle_initialize and _free are called NAME_bfio_initialize and _free there.
# Needs the static libraries of Debian's libNAME-dev and libbfio-dev, ld and objcopy (binutils).
function(touchstone_isolated_yal name)
  find_library(YAL_${name}_ARCHIVE lib${name}.a REQUIRED)
  find_library(YAL_bfio_ARCHIVE libbfio.a REQUIRED)
  find_program(CMAKE_OBJCOPY objcopy REQUIRED)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/isolated_${name})
  set(result ${folder}/${name}.o)
  add_custom_command(OUTPUT ${result}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DFOLDER=${folder} -DARCHIVE=${YAL_${name}_ARCHIVE}
      -DBFIO=${YAL_bfio_ARCHIVE} -DLD=${CMAKE_LINKER} -DOBJCOPY=${CMAKE_OBJCOPY} -DNM=${CMAKE_NM}
      -P ${PROJECT_SOURCE_DIR}/lib/cmake/isolate_yal.cmake
    DEPENDS ${YAL_${name}_ARCHIVE} ${YAL_bfio_ARCHIVE} ${PROJECT_SOURCE_DIR}/lib/cmake/isolate_yal.cmake
    COMMENT "Isolating lib${name}" VERBATIM)
  set_source_files_properties(${result} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  set(ISOLATED_${name} ${result} PARENT_SCOPE)
endfunction()
