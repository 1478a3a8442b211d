# millrace_folder(NAME [USES folder ...] [LINKS target ...])
# Makes library NAME of every src/NAME/**.cc; a folder without sources is an interface library. All names are in the
# global property millrace_folders.
function(millrace_folder name)
  set_property(GLOBAL APPEND PROPERTY millrace_folders ${name})
  cmake_parse_arguments(arg "" "" "USES;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  if(sources)
    add_library(${name} STATIC EXCLUDE_FROM_ALL ${sources})  # only what a build's programs use
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${name} PUBLIC ${arg_USES} ${arg_LINKS})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${name} INTERFACE ${arg_USES} ${arg_LINKS})
  endif()
endfunction()
