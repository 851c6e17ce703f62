# Run by cpack over what it is about to pack. In a .deb the licences are in `copyright`, zsh looks for its
# completions elsewhere, and manual pages and the changelog are compressed, without a time in them.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
find_program(GZIP gzip REQUIRED)
set(share "${CPACK_TEMPORARY_DIRECTORY}/usr/share")
set(documents "${share}/doc/talweg")

file(READ "${documents}/LICENSE_THIRD_PARTY.md" parts)
string(REGEX REPLACE "\n\n+" "\n.\n" parts "${parts}")
string(REGEX REPLACE "\n(.)" "\n \\1" parts "${parts}")
file(WRITE "${documents}/copyright" "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: talweg

Files: *
Copyright: 2026 the talweg developers
License: Apache-2.0
 On Debian systems the text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.

Files: usr/bin/talweg usr/lib/libtalweg.so*
Copyright: 2026 the talweg developers and those named below
License: Apache-2.0 and those named below
 ${parts}")
file(REMOVE "${documents}/LICENSE" "${documents}/LICENSE_THIRD_PARTY.md")
file(RENAME "${documents}/CHANGELOG.md" "${documents}/changelog")
file(MAKE_DIRECTORY "${share}/zsh/vendor-completions")
file(RENAME "${share}/zsh/site-functions/_talweg" "${share}/zsh/vendor-completions/_talweg")
file(REMOVE_RECURSE "${share}/zsh/site-functions")

file(GLOB pages "${share}/man/man1/*.1")
execute_process(COMMAND "${GZIP}" -9 --no-name ${pages} "${documents}/changelog" COMMAND_ERROR_IS_FATAL ANY)
