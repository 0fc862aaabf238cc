# touchstone_add_plugin(NAME SOURCES ... [LINK ...]): a plugin as a shared object NAME.tsp that exports one
# symbol, touchstone_plugin_v1. The same function builds plugins in this tree and, after
# find_package(touchstone), anywhere else. EXAMPLE keeps a plugin of this tree out of runs and installations: it is put
# into examples/ instead of plugins/.
set(_touchstone_plugin_map ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

function(touchstone_add_plugin name)
  cmake_parse_arguments(ARG "EXAMPLE" "" "SOURCES;LINK" ${ARGN})
  add_library(touchstone_plugin_${name} MODULE ${ARG_SOURCES})
  set_target_properties(touchstone_plugin_${name} PROPERTIES
    PREFIX "" SUFFIX ".tsp" OUTPUT_NAME ${name}
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(touchstone_plugin_${name} PRIVATE touchstone::plugin ${ARG_LINK})
  target_link_options(touchstone_plugin_${name} PRIVATE
    LINKER:--version-script=${_touchstone_plugin_map} LINKER:--exclude-libs,ALL)
  set_property(GLOBAL APPEND PROPERTY TOUCHSTONE_PLUGINS touchstone_plugin_${name})
  set_property(TARGET touchstone_plugin_${name} APPEND PROPERTY LINK_DEPENDS ${_touchstone_plugin_map})
  if(TARGET touchstone_build)  # in the project's own tree
    target_link_libraries(touchstone_plugin_${name} PRIVATE touchstone_build)
    if(ARG_EXAMPLE)
      set_target_properties(touchstone_plugin_${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
      return()
    endif()
    set_target_properties(touchstone_plugin_${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins)
    install(TARGETS touchstone_plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/touchstone/plugins)
  endif()
endfunction()
