# Compiler settings shared by every target, and talweg_library(), which makes one layer.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1")
set(CMAKE_C_FLAGS_DEV "-O1 -g1")
# The loops that matter are generated; -O3 would only make the build slower.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

# No back end may fuse a product and a sum, and no flag may relax IEEE 754: arithmetic is decided in
# the graph. This holds for every file, the interpreter above all.
add_compile_options(-ffp-contract=off -fno-fast-math)

# Messages of failed checks name the file by its place in this tree, not by the place of the tree.
add_compile_options(-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/= -fmacro-prefix-map=${PROJECT_BINARY_DIR}/=)

add_library(talweg_options INTERFACE)
target_include_directories(talweg_options INTERFACE ${PROJECT_SOURCE_DIR})
# GCC 12 warns of overlapping copies inside its own std::string (GCC bug 105651): -Wno-restrict.
target_compile_options(talweg_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>
  $<$<BOOL:${TALWEG_WARNINGS_AS_ERRORS}>:-Werror>)
if(TALWEG_SANITIZE)
  add_compile_options(-fsanitize=${TALWEG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TALWEG_SANITIZE})
  # An index past the end of a vector may lie in its capacity, where no sanitizer looks.
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
if(NOT TALWEG_SANITIZE)
  find_program(LLD_LINKER ld.lld)
  if(LLD_LINKER)
    add_link_options(-fuse-ld=lld)
  endif()
endif()

# fmt. Of its version 9 Debian has the compiled part as a shared library alone; here it is an archive. (With that part
# in the headers, fmt::fmt-header-only, every file would take seconds more to compile.)
if(fmt_VERSION VERSION_GREATER_EQUAL 9 AND fmt_VERSION VERSION_LESS 10)
  add_library(talweg_fmt STATIC cmake/fmt_9.cpp)
  target_include_directories(talweg_fmt SYSTEM PUBLIC $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(talweg_fmt PUBLIC $<TARGET_PROPERTY:fmt::fmt,INTERFACE_COMPILE_DEFINITIONS>)
else()
  add_library(talweg_fmt INTERFACE)
  target_link_libraries(talweg_fmt INTERFACE fmt::fmt)
endif()

# talweg_library(NAME SOURCES a.cpp b.cpp LINK other_layers) makes the static library of one layer.
function(talweg_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC talweg_options ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
endfunction()
