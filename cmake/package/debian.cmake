# Run by cpack over what it is about to pack. In a .deb the licence is in `copyright`, zsh looks for its
# completions elsewhere, and manual pages and the changelog are compressed, without a time in them.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
find_program(GZIP gzip REQUIRED)
set(share "${CPACK_TEMPORARY_DIRECTORY}/usr/share")
set(documents "${share}/doc/talweg")

file(WRITE "${documents}/copyright" "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: talweg

Files: *
Copyright: 2026 the talweg developers
License: Apache-2.0
 On Debian systems the text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.

Files: usr/bin/talweg
Copyright: 2026 the talweg developers; the LLVM project; the ANTLR project
License: Apache-2.0 and Apache-2.0 with LLVM-exception and BSD-3-clause
 The command has parts of LLVM and LLD (Apache-2.0 with LLVM exceptions) and of the
 C++ runtime of ANTLR 4 (BSD, three clauses) in it.
")
file(REMOVE "${documents}/LICENSE")
file(RENAME "${documents}/CHANGELOG.md" "${documents}/changelog")
file(MAKE_DIRECTORY "${share}/zsh/vendor-completions")
file(RENAME "${share}/zsh/site-functions/_talweg" "${share}/zsh/vendor-completions/_talweg")
file(REMOVE_RECURSE "${share}/zsh/site-functions")

file(GLOB pages "${share}/man/man1/*.1")
execute_process(COMMAND "${GZIP}" -9 --no-name ${pages} "${documents}/changelog" COMMAND_ERROR_IS_FATAL ANY)
