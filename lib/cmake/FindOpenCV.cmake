# OpenCV from Debian's packages of single modules (libopencv-core-dev, libopencv-dnn-dev, ...). They bring no
# CMake files of their own: those lie in libopencv-dev, which pulls in every module and, with viz, VTK.
# Defines an imported target opencv_NAME for each component, as OpenCV's own package file does.
find_path(OpenCV_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4)
set(OpenCV_VERSION "")
if(OpenCV_INCLUDE_DIR)
  file(STRINGS ${OpenCV_INCLUDE_DIR}/opencv2/core/version.hpp _opencv_numbers
    REGEX "^#define CV_VERSION_(MAJOR|MINOR|REVISION) +[0-9]+")
  foreach(_line IN LISTS _opencv_numbers)
    string(REGEX REPLACE ".* ([0-9]+)$" "\\1" _number "${_line}")
    list(APPEND OpenCV_VERSION ${_number})
  endforeach()
  list(JOIN OpenCV_VERSION "." OpenCV_VERSION)
endif()

foreach(_component IN LISTS OpenCV_FIND_COMPONENTS)
  find_library(OpenCV_${_component}_LIBRARY opencv_${_component})
  if(OpenCV_${_component}_LIBRARY)
    set(OpenCV_${_component}_FOUND TRUE)
  endif()
  mark_as_advanced(OpenCV_${_component}_LIBRARY)
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCV REQUIRED_VARS OpenCV_INCLUDE_DIR VERSION_VAR OpenCV_VERSION HANDLE_COMPONENTS)

if(OpenCV_FOUND)
  foreach(_component IN LISTS OpenCV_FIND_COMPONENTS)
    if(NOT TARGET opencv_${_component})
      add_library(opencv_${_component} UNKNOWN IMPORTED)
      set_target_properties(opencv_${_component} PROPERTIES
        IMPORTED_LOCATION ${OpenCV_${_component}_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${OpenCV_INCLUDE_DIR})
      if(NOT _component STREQUAL "core")
        set_property(TARGET opencv_${_component} PROPERTY INTERFACE_LINK_LIBRARIES opencv_core)
      endif()
    endif()
  endforeach()
endif()
mark_as_advanced(OpenCV_INCLUDE_DIR)
