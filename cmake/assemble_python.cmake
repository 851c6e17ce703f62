# Writes the template of generated Python modules: TEMPLATE with the text of other files in it, each
# from its mark on, so that users get one file.
#
#   cmake -DTEMPLATE=FILE -DFOLDER=FOLDER -DOUT=FILE -P assemble_python.cmake
file(READ "${TEMPLATE}" text)
foreach(part engine dlpack arrays)
  file(READ "${FOLDER}/${part}.py" body)
  string(FIND "${body}" "\n# BEGIN\n" mark)
  if(mark EQUAL -1)
    message(FATAL_ERROR "${part}.py has no mark")
  endif()
  string(LENGTH "\n# BEGIN\n" length)
  math(EXPR mark "${mark} + ${length}")
  string(SUBSTRING "${body}" ${mark} -1 body)
  string(STRIP "${body}" body)
  string(FIND "${text}" "# HERE ${part}.py\n" place)
  if(place EQUAL -1)
    message(FATAL_ERROR "${TEMPLATE} has no place for ${part}.py")
  endif()
  string(REPLACE "# HERE ${part}.py\n" "${body}\n" text "${text}")
endforeach()
file(WRITE "${OUT}" "${text}")
