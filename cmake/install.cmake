# What `cmake --install` puts where. An installed tree may be moved: the command finds its rules, and
# talwegConfig.cmake the command, from their own places. The build tree has the same layout.
#
# Components: command (with its rules, manual, completions, CMake package and documents) and embedding
# (the library that compiles rules inside a program, and its headers).
include(CMakePackageConfigHelpers)
set(TALWEG_CMAKE_FOLDER lib/cmake/talweg)

install(TARGETS talweg RUNTIME DESTINATION bin COMPONENT command)
install(DIRECTORY stdlib/ DESTINATION share/talweg/stdlib COMPONENT command FILES_MATCHING PATTERN "*.tw")
foreach(folder man/man1 bash-completion/completions fish/vendor_completions.d zsh/site-functions)
  install(DIRECTORY ${CMAKE_BINARY_DIR}/share/${folder}/ DESTINATION share/${folder} COMPONENT command)
endforeach()
install(FILES README.md LICENSE LICENSE_THIRD_PARTY.md CHANGELOG.md DESTINATION share/doc/talweg COMPONENT command)
install(DIRECTORY docs/ DESTINATION share/doc/talweg/docs COMPONENT command FILES_MATCHING PATTERN "*.md")

# Any release that keeps the interface will do, whatever machine the user builds for.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/${TALWEG_CMAKE_FOLDER}/talwegConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
foreach(file talwegConfig.cmake talwegAddLibrary.cmake)
  configure_file(cmake/package/${file} ${CMAKE_BINARY_DIR}/${TALWEG_CMAKE_FOLDER}/${file} COPYONLY)
endforeach()
install(DIRECTORY ${CMAKE_BINARY_DIR}/${TALWEG_CMAKE_FOLDER}/ DESTINATION ${TALWEG_CMAKE_FOLDER} COMPONENT command
  FILES_MATCHING PATTERN "talwegConfig*.cmake" PATTERN "talwegAddLibrary.cmake")

# talweg_install_embedding(TARGET HEADERS) installs a library that programs link, called talweg::NAME by
# its EXPORT_NAME, and the headers in the folder HEADERS ("include", which holds talweg/talweg.h).
function(talweg_install_embedding target headers)
  install(TARGETS ${target} EXPORT talwegEmbedding
    LIBRARY DESTINATION lib COMPONENT embedding NAMELINK_COMPONENT embedding
    ARCHIVE DESTINATION lib COMPONENT embedding)
  install(DIRECTORY ${headers}/ DESTINATION include COMPONENT embedding)
  install(EXPORT talwegEmbedding NAMESPACE talweg:: DESTINATION ${TALWEG_CMAKE_FOLDER} COMPONENT embedding)
  export(EXPORT talwegEmbedding NAMESPACE talweg::
    FILE ${CMAKE_BINARY_DIR}/${TALWEG_CMAKE_FOLDER}/talwegEmbedding.cmake)
endfunction()
if(TARGET talweg_embed)
  get_target_property(folder talweg_embed SOURCE_DIR)
  talweg_install_embedding(talweg_embed ${folder}/include)
endif()
