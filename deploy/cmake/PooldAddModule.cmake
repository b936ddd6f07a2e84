# poold_add_module(<name> SOURCES <files...> [LINK <libraries...>])
#
# Builds <name>.so, a task module: functions registered with POOLD_TASK (poold/worker.h). A pool loads it by <name> from
# the module folders of the daemon's configuration. Links poold::module.
function(poold_add_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "poold_add_module(${name}): wanted <name> SOURCES <files...> [LINK <libraries...>]")
  endif()
  add_library(${name} MODULE ${arg_SOURCES})
  target_compile_features(${name} PRIVATE cxx_std_20)
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so")
  target_link_libraries(${name} PRIVATE poold::module ${arg_LINK})
endfunction()
