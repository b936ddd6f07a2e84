# Compiles SOURCE, which must fail with one error: a sentence of ours that says what to do.
execute_process(COMMAND ${COMPILE} -fsyntax-only "${SOURCE}" RESULT_VARIABLE result ERROR_VARIABLE said)
string(REPLACE ";" "," said "${said}")  # it would divide a list
string(REGEX MATCHALL "error:[^\n]*" errors "${said}")
list(LENGTH errors count)
string(REGEX MATCHALL "\n" lines "${said}")
list(LENGTH lines length)
if(result EQUAL 0 OR NOT count EQUAL 1 OR NOT errors MATCHES "poold: .* cannot travel\\. .*POOLD_FIELDS" OR length GREATER 60)
  message(FATAL_ERROR "wanted one sentence of poold, not ${count} errors in ${length} lines:\n${said}")
endif()
