# find_package(talweg): talweg_add_library(), which builds libraries of rules (see talwegAddLibrary.cmake),
# and talweg::talweg, the library that compiles rules inside a program, where it was installed
# (find_package(talweg COMPONENTS embedding) insists on it).
#
# TALWEG_COMMAND is the command that is run. When building for another machine it must be one of this
# machine; set it before find_package() to use another than that of this package.
get_filename_component(_talweg_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(CMAKE_VERSION VERSION_LESS 3.20)
  set(talweg_FOUND FALSE)
  set(talweg_NOT_FOUND_MESSAGE "talweg needs CMake 3.20 or later; this is ${CMAKE_VERSION}")
  return()
endif()
if(NOT TALWEG_COMMAND)
  set(TALWEG_COMMAND "${_talweg_prefix}/bin/talweg")
endif()
if(NOT EXISTS "${TALWEG_COMMAND}")
  set(talweg_FOUND FALSE)
  set(talweg_NOT_FOUND_MESSAGE "the command is missing: there is no ${TALWEG_COMMAND}")
  return()
endif()
include("${CMAKE_CURRENT_LIST_DIR}/talwegAddLibrary.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/talwegEmbedding.cmake" OPTIONAL RESULT_VARIABLE _talweg_embedding)

foreach(_talweg_component IN LISTS talweg_FIND_COMPONENTS)
  set(talweg_${_talweg_component}_FOUND FALSE)
  if(_talweg_component STREQUAL "embedding" AND _talweg_embedding)
    set(talweg_embedding_FOUND TRUE)
  endif()
  if(talweg_FIND_REQUIRED_${_talweg_component} AND NOT talweg_${_talweg_component}_FOUND)
    set(talweg_FOUND FALSE)
    set(talweg_NOT_FOUND_MESSAGE "talweg has no component ${_talweg_component} here")
  endif()
endforeach()
