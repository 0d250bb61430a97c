# cmake -D WAY=find_package|pkg_config -D BUILD_DIR= -D CONFIG= -D WORK_DIR= -D CXX= -D SANITIZE= -D NODE= -P try_installed.cmake
#
# Installs the build into a fresh prefix, moves that prefix (nothing in it may know where it was), builds the outside
# program against it and runs it.
set(outside "${CMAKE_CURRENT_LIST_DIR}/outside")
set(flags "")
if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()
if(NODE)
  string(APPEND flags " -DOUTSIDE_OPENS_A_NODE")
endif()
separate_arguments(flag_list UNIX_COMMAND "${flags}")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${result}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK_DIR}")
run("${CMAKE_COMMAND}" --install "${BUILD_DIR}" --config "${CONFIG}" --prefix "${WORK_DIR}/first")
file(RENAME "${WORK_DIR}/first" "${WORK_DIR}/prefix")
set(prefix "${WORK_DIR}/prefix")

if(WAY STREQUAL "find_package")
  run("${CMAKE_COMMAND}" -S "${outside}" -B "${WORK_DIR}/build" -G Ninja "-DCMAKE_CXX_COMPILER=${CXX}"
    "-DCMAKE_CXX_FLAGS=${flags}" "-DCMAKE_PREFIX_PATH=${prefix}")
  run("${CMAKE_COMMAND}" --build "${WORK_DIR}/build")
  run("${WORK_DIR}/build/outside" "${WORK_DIR}/data")
else()
  file(GLOB_RECURSE package "${prefix}/concord.pc")
  cmake_path(GET package PARENT_PATH package_dir)
  set(ENV{PKG_CONFIG_PATH} "${package_dir}")
  execute_process(COMMAND pkg-config --cflags --libs concord
    OUTPUT_VARIABLE words OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(words UNIX_COMMAND "${words}")
  cmake_path(GET package_dir PARENT_PATH library_dir)
  run("${CXX}" -std=c++23 -Wall -Wextra -Werror ${flag_list} "${outside}/outside.cpp" -o "${WORK_DIR}/outside" ${words}
    "-Wl,-rpath,${library_dir}")
  run("${WORK_DIR}/outside" "${WORK_DIR}/data")
endif()
run("${prefix}/bin/concord" version)
