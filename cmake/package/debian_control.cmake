# Run by cpack over the packages that it has made. Two things that CPack writes into a .deb's control files are not what
# Debian wants, and no variable of it changes them:
#
# - It follows links when it counts, so Installed-Size would say libtalweg three times. Here it is counted as
#   dpkg-gencontrol does: each file in KiB, and one for each folder and link.
# - Its scripts call ldconfig where a package with a shared library asks dpkg to (lintian: lacks-ldconfig-trigger).
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
cmake_policy(VERSION 3.25)
find_program(AR ar REQUIRED)
find_program(TAR tar REQUIRED)

file(GLOB_RECURSE entries LIST_DIRECTORIES true "${CPACK_TEMPORARY_DIRECTORY}/usr/*")
set(kib 1) # usr itself
foreach(entry IN LISTS entries)
  if(IS_SYMLINK "${entry}" OR IS_DIRECTORY "${entry}")
    math(EXPR kib "${kib} + 1")
  else()
    file(SIZE "${entry}" bytes)
    math(EXPR kib "${kib} + (${bytes} + 1023) / 1024")
  endif()
endforeach()

foreach(package IN LISTS CPACK_PACKAGE_FILES)
  set(folder "${CPACK_TOPLEVEL_DIRECTORY}/control")
  file(REMOVE_RECURSE "${folder}")
  file(MAKE_DIRECTORY "${folder}/files")
  execute_process(COMMAND "${AR}" x "${package}" control.tar.gz WORKING_DIRECTORY "${folder}" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${TAR}" -xzf ../control.tar.gz WORKING_DIRECTORY "${folder}/files" COMMAND_ERROR_IS_FATAL ANY)
  file(READ "${folder}/files/control" text)
  if(NOT text MATCHES "\nInstalled-Size: [0-9]+\n")
    message(FATAL_ERROR "${package} has no field Installed-Size")
  endif()
  string(REGEX REPLACE "\nInstalled-Size: [0-9]+\n" "\nInstalled-Size: ${kib}\n" text "${text}")
  file(TIMESTAMP "${folder}/files/md5sums" made "%s")
  file(WRITE "${folder}/files/control" "${text}")
  file(REMOVE "${folder}/files/postinst" "${folder}/files/postrm")
  file(WRITE "${folder}/files/triggers" "activate-noawait ldconfig\n")
  file(GLOB files RELATIVE "${folder}/files" "${folder}/files/*")
  list(SORT files)
  list(TRANSFORM files PREPEND ./)
  execute_process(COMMAND "${TAR}" -I "gzip -9n" -cf ../control.tar.gz --format=gnu --owner=root:0 --group=root:0 "--mtime=@${made}" ${files}
    WORKING_DIRECTORY "${folder}/files" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${AR}" r "${package}" control.tar.gz WORKING_DIRECTORY "${folder}" COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE "${folder}")
endforeach()
