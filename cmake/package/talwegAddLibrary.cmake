# talweg_add_library(NAME
#   [RULES FILE...]              rule files (.tw)
#   [EXPRESSIONS [NAME=]EXPR...] what is built; without it, all rules of the files
#   [TARGETS TARGET...]          what `talweg targets` lists; by default what CMake builds for
#   [STATIC | SHARED]            by default what BUILD_SHARED_LIBS says
#   [DTYPE float32 | float64]    of parameters and states
#   [INCLUDE FOLDER...])         where modules are looked for, after the folders of the files
#
# Makes the library NAME, which targets link as any other; its header is NAME.h. It is built with the
# project, and again when one of the files, a module that they import or the command changes. With several
# TARGETS all are built, into a folder each, and NAME is the one that CMake builds for.

# What `talweg targets` lists, for this configuring: names, and what CMake calls such processors.
function(_talweg_read_targets names_result patterns_result)
  execute_process(COMMAND "${TALWEG_COMMAND}" targets --json
    OUTPUT_VARIABLE text ERROR_VARIABLE error RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "talweg: cannot run ${TALWEG_COMMAND}: ${code}\n${error}")
  endif()
  set(names)
  set(patterns)
  string(REGEX MATCHALL "[^\n]+" lines "${text}")
  foreach(line IN LISTS lines)
    string(JSON name GET "${line}" name)
    string(JSON pattern GET "${line}" cmake_processor)
    list(APPEND names "${name}")
    list(APPEND patterns "${pattern}")
  endforeach()
  set(${names_result} "${names}" PARENT_SCOPE)
  set(${patterns_result} "${patterns}" PARENT_SCOPE)
endfunction()

# Stops at what cannot be meant.
function(_talweg_check_arguments name)
  set(where "talweg_add_library(${name})")
  if(ARG_UNPARSED_ARGUMENTS)
    list(GET ARG_UNPARSED_ARGUMENTS 0 first)
    message(FATAL_ERROR "${where}: '${first}' is no argument of it. Rule files stand behind RULES.")
  endif()
  if(ARG_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "${where}: nothing stands behind ${ARG_KEYWORDS_MISSING_VALUES}.")
  endif()
  if(NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    message(FATAL_ERROR "${where}: all names in C begin with this one: use letters, digits and _.")
  endif()
  if(TARGET ${name})
    message(FATAL_ERROR "${where}: there is a target of this name already.")
  endif()
  if(NOT ARG_RULES AND NOT ARG_EXPRESSIONS)
    message(FATAL_ERROR "${where}: nothing to build: give RULES or EXPRESSIONS.")
  endif()
  if(ARG_STATIC AND ARG_SHARED)
    message(FATAL_ERROR "${where}: STATIC and SHARED exclude each other.")
  endif()
  if(DEFINED ARG_DTYPE AND NOT ARG_DTYPE MATCHES "^float(32|64)$")
    message(FATAL_ERROR "${where}: DTYPE is float32 or float64, not '${ARG_DTYPE}'.")
  endif()
endfunction()

# The targets that are built, and the one of them to link.
function(_talweg_choose_targets name all_result linked_result)
  _talweg_read_targets(names patterns)
  set(fitting)
  foreach(target pattern IN ZIP_LISTS names patterns)
    # Emscripten calls its processor x86, which elsewhere is one that no library is for.
    if(target STREQUAL "wasm32" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86" AND NOT CMAKE_SYSTEM_NAME STREQUAL "Emscripten")
      continue()
    endif()
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(${pattern})$")
      set(fitting ${target})
    endif()
  endforeach()
  list(JOIN names ", " known)
  foreach(target IN LISTS ARG_TARGETS)
    if(NOT target IN_LIST names)
      message(FATAL_ERROR "talweg_add_library(${name}): there is no target '${target}'; there are ${known}.")
    endif()
  endforeach()
  if(NOT ARG_TARGETS)
    if(NOT fitting)
      message(FATAL_ERROR "talweg_add_library(${name}): no library can be built for "
        "CMAKE_SYSTEM_PROCESSOR '${CMAKE_SYSTEM_PROCESSOR}'; there are ${known}.")
    endif()
    set(ARG_TARGETS ${fitting})
  elseif(NOT fitting IN_LIST ARG_TARGETS)
    list(JOIN ARG_TARGETS ", " chosen)
    message(FATAL_ERROR "talweg_add_library(${name}): none of TARGETS (${chosen}) is what CMake builds for: "
      "CMAKE_SYSTEM_PROCESSOR is '${CMAKE_SYSTEM_PROCESSOR}'.")
  endif()
  list(REMOVE_DUPLICATES ARG_TARGETS)
  set(${all_result} "${ARG_TARGETS}" PARENT_SCOPE)
  set(${linked_result} "${fitting}" PARENT_SCOPE)
endfunction()

# Rule files with their whole paths; those that the build itself makes need not be there yet.
function(_talweg_find_rules name result)
  set(files)
  foreach(file IN LISTS ARG_RULES)
    get_filename_component(path "${file}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    get_source_file_property(is_generated "${path}" GENERATED)
    if(NOT is_generated AND (NOT EXISTS "${path}" OR IS_DIRECTORY "${path}"))
      message(FATAL_ERROR "talweg_add_library(${name}): there is no rule file ${path}.")
    endif()
    list(APPEND files "${path}")
  endforeach()
  set(${result} "${files}" PARENT_SCOPE)
endfunction()

function(talweg_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "STATIC;SHARED" "DTYPE" "RULES;EXPRESSIONS;TARGETS;INCLUDE")
  _talweg_check_arguments("${name}")
  _talweg_find_rules("${name}" files)
  _talweg_choose_targets("${name}" targets linked)

  set(form STATIC)
  if(ARG_SHARED OR (BUILD_SHARED_LIBS AND NOT ARG_STATIC))
    set(form SHARED)
  endif()
  if(form STREQUAL "SHARED" AND "wasm32" IN_LIST targets)
    message(FATAL_ERROR "talweg_add_library(${name}): for wasm32 programs link a STATIC library.")
  endif()
  string(TOLOWER ${form} form_option)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/talweg/${name}")
  list(JOIN targets "," target_names)
  set(options --quiet --name ${name} --${form_option} --target ${target_names}
    --out "${folder}" --depfile "${folder}/${name}.d")
  if(DEFINED ARG_DTYPE)
    list(APPEND options --dtype ${ARG_DTYPE})
  endif()
  foreach(expression IN LISTS ARG_EXPRESSIONS)
    list(APPEND options --rule "${expression}")
  endforeach()
  foreach(include IN LISTS ARG_INCLUDE)
    get_filename_component(include "${include}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    if(NOT IS_DIRECTORY "${include}")
      message(FATAL_ERROR "talweg_add_library(${name}): there is no folder ${include}.")
    endif()
    list(APPEND options --include "${include}")
  endforeach()

  # Each target has a folder of its own where there are several. Files are called as talweg calls them, whatever
  # the toolchain calls its own.
  set(suffix a)
  if(form STREQUAL "SHARED")
    set(suffix so)
  endif()
  list(LENGTH targets count)
  set(outputs "${folder}/${name}.h")
  foreach(target IN LISTS targets)
    set(place "${folder}")
    if(count GREATER 1)
      set(place "${folder}/${target}")
    endif()
    set(library "${place}/lib${name}.${suffix}")
    list(APPEND outputs "${library}")
    if(target STREQUAL linked)
      set(linked_library "${library}")
    endif()
  endforeach()
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(OUTPUT ${outputs}
    COMMAND "${TALWEG_COMMAND}" build ${files} ${options}
    DEPENDS "${TALWEG_COMMAND}" ${files}
    DEPFILE "${folder}/${name}.d"
    COMMENT "Building kernels of ${name}"
    VERBATIM)
  add_custom_target(${name}_talweg DEPENDS ${outputs})
  set_property(DIRECTORY APPEND PROPERTY ADDITIONAL_CLEAN_FILES "${folder}")

  add_library(${name} ${form} IMPORTED GLOBAL)
  add_dependencies(${name} ${name}_talweg)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION "${linked_library}"
    INTERFACE_INCLUDE_DIRECTORIES "${folder}")
  if(form STREQUAL "SHARED")
    set_target_properties(${name} PROPERTIES IMPORTED_SONAME lib${name}.so)
  endif()
endfunction()
