# cpack -G DEB --config build/release/CPackConfig.cmake: talweg_VERSION_amd64.deb, and -G TGZ. What Debian
# wants otherwise than `cmake --install` leaves it is mended in package/debian.cmake.
set(TALWEG_MAINTAINER "talweg developers <talweg@localhost.localdomain>" CACHE STRING "Whom a package names")
set(CPACK_PACKAGE_NAME talweg)
set(CPACK_PACKAGE_VENDOR talweg)
set(CPACK_PACKAGE_CONTACT "${TALWEG_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compiled language for deep-learning optimizers")
set(CPACK_PACKAGE_DESCRIPTION "Rules of optimizers, written as their papers print them, become
fused and vectorised kernels: run at once, traced and compared, or built
as libraries for programs in C, C++ and Python that need nothing of
talweg.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_MONOLITHIC_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_THREADS 0)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/package/debian.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/package/debian_control.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
# Packing takes a minute or two; -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip a few seconds.
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
include(CPack)
