# Everything talweg needs from outside, found once. `dev` installs these from Debian's packages.
find_package(LLVM 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/llvm)
# Compiles what generated libraries carry to bitcode, for all platforms.
find_program(TALWEG_CLANG clang NAMES clang-22 HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)
find_program(TALWEG_LLVM_LINK llvm-link NAMES llvm-link-22 HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)
# LLD's own package links the shared library of LLVM beside our static one.
find_library(TALWEG_LLD_ELF lldELF HINTS ${LLVM_LIBRARY_DIRS} REQUIRED)
find_library(TALWEG_LLD_WASM lldWasm HINTS ${LLVM_LIBRARY_DIRS} REQUIRED)
find_library(TALWEG_LLD_COMMON lldCommon HINTS ${LLVM_LIBRARY_DIRS} REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
# The archives, where there are any: who has what we build needs no package of these, of which each distribution
# has another version.
function(talweg_link_archive target name)
  find_library(TALWEG_ARCHIVE_${name} lib${name}.a)
  if(TALWEG_ARCHIVE_${name})
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION "${TALWEG_ARCHIVE_${name}}" IMPORTED_LOCATION_RELEASE "${TALWEG_ARCHIVE_${name}}")
  endif()
endfunction()
talweg_link_archive(ZLIB::ZLIB z)
talweg_link_archive(zstd::libzstd_shared zstd)
find_package(nlohmann_json REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(CLI11 REQUIRED)
find_program(ANTLR4_TOOL antlr4 REQUIRED)
find_path(ANTLR4_INCLUDE_DIR antlr4-runtime.h PATH_SUFFIXES antlr4-runtime REQUIRED)
# Static where there is one: looking up its symbols at every start costs 2 ms.
find_library(ANTLR4_LIBRARY NAMES libantlr4-runtime.a antlr4-runtime REQUIRED)
find_library(ANTLR4_SHARED_LIBRARY NAMES antlr4-runtime REQUIRED)
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
