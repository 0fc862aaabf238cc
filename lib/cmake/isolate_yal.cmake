# Run by touchstone_isolated_yal(): NAME, FOLDER, ARCHIVE, BFIO, LD, OBJCOPY and NM are given with -D.
file(MAKE_DIRECTORY ${FOLDER})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "isolating lib${NAME}: ${ARGN}: ${text}")
  endif()
endfunction()

# Writes the functions of OBJECT whose names match PATTERN, one a line.
function(list_functions object pattern list)
  execute_process(COMMAND ${NM} ${object} OUTPUT_VARIABLE symbols RESULT_VARIABLE code)
  string(REGEX MATCHALL " T (${pattern})[a-z0-9_]*" found "${symbols}")
  string(REPLACE " T " "" found "${found}")
  string(REPLACE ";" "\n" found "${found}")
  if(NOT code EQUAL 0 OR found STREQUAL "")
    message(FATAL_ERROR "isolating lib${NAME}: ${object} has no function ${pattern}…")
  endif()
  file(WRITE ${list} "${found}\n")
endfunction()

run(${LD} -r -o ${FOLDER}/bfio_all.o --whole-archive ${BFIO})
list_functions(${FOLDER}/bfio_all.o "libbfio_" ${FOLDER}/bfio.txt)
run(${OBJCOPY} --keep-global-symbols=${FOLDER}/bfio.txt ${FOLDER}/bfio_all.o ${FOLDER}/bfio.o)
run(${LD} -r -o ${FOLDER}/all.o --whole-archive ${ARCHIVE} --no-whole-archive ${FOLDER}/bfio.o)
list_functions(${FOLDER}/all.o "lib${NAME}_" ${FOLDER}/keep.txt)
file(APPEND ${FOLDER}/keep.txt "libbfio_handle_initialize\nlibbfio_handle_free\n")
run(${OBJCOPY} --keep-global-symbols=${FOLDER}/keep.txt ${FOLDER}/all.o ${FOLDER}/kept.o)
run(${OBJCOPY} --redefine-sym libbfio_handle_initialize=${NAME}_bfio_initialize
  --redefine-sym libbfio_handle_free=${NAME}_bfio_free ${FOLDER}/kept.o ${FOLDER}/${NAME}.o)
file(REMOVE ${FOLDER}/bfio_all.o ${FOLDER}/bfio.o ${FOLDER}/all.o ${FOLDER}/kept.o)
