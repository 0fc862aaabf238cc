# touchstone_add_test(NAME SOURCES ... LINK ... [LABELS ...] [TIMEOUT s]): a GoogleTest program whose cases
# ctest lists one by one. TEST_SOURCE_DIR is the project's root, BINARY_DIR its build tree.
# Below tests/unit and tests/plugins, and everywhere under sanitizers, a program is one test, since its start costs
# more than most cases; what its cases said is in gtest/NAME.xml of the build tree. The seconds are those of a case.
include(GoogleTest)
function(touchstone_add_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE touchstone_build ${ARG_LINK} GTest::gtest_main GTest::gmock)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE
    TOUCHSTONE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" TOUCHSTONE_BINARY_DIR="${PROJECT_BINARY_DIR}"
    TOUCHSTONE_CORPUS_DIR="${TOUCHSTONE_CORPUS}")
  if(TOUCHSTONE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # A third of the time to compile, for what the code of a test itself hardly gets wrong.
    target_compile_options(${name} PRIVATE -fno-sanitize=null,alignment,vptr)
  endif()
  if(TOUCHSTONE_SANITIZE OR CMAKE_CURRENT_SOURCE_DIR MATCHES "/tests/(unit|plugins)/")
    add_test(NAME ${name} COMMAND ${name})
    math(EXPR timeout "${ARG_TIMEOUT} * 10")
    set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} LABELS "${ARG_LABELS}"
      ENVIRONMENT "GTEST_OUTPUT=xml:${PROJECT_BINARY_DIR}/gtest/${name}.xml")
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
