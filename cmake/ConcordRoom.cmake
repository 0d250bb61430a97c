# concord_room(<name> SOURCES ... [TESTS ...] [TEST_SOURCES ...] [USES room ...] [LINKS external-target ...])
#
# One room: the library concord_<name> of src/<name>, and, with CONCORD_TESTS, the program <name>_test of the tests beside
# its code. USES names the rooms it may include; tests/gates checks that against the real includes. A room sees its own
# headers as "name/file.hpp" and the public ones as <concord/file.hpp>.
set(CONCORD_SOURCE_ROOT "${CMAKE_CURRENT_SOURCE_DIR}/src")

function(concord_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "" "" "SOURCES;TESTS;TEST_SOURCES;USES;LINKS")
  set(target concord_${name})
  add_library(${target} STATIC ${ROOM_SOURCES})
  target_include_directories(${target} PUBLIC "${CONCORD_SOURCE_ROOT}" "${CONCORD_SOURCE_ROOT}/../include")
  list(TRANSFORM ROOM_USES PREPEND concord_)
  target_link_libraries(${target} PUBLIC ${ROOM_USES} ${ROOM_LINKS} PRIVATE concord_options)
  set_property(GLOBAL APPEND PROPERTY CONCORD_ROOMS ${target})
  set_property(TARGET ${target} PROPERTY CONCORD_USES "${ROOM_USES}")
  if(CONCORD_TESTS AND ROOM_TESTS)
    add_executable(${name}_test ${ROOM_TESTS} ${ROOM_TEST_SOURCES})
    target_link_libraries(${name}_test PRIVATE ${target} concord_test_options GTest::gtest_main GTest::gmock)
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60)
  endif()
endfunction()

# concord_room_closure(<out> <room>...): these rooms (concord_<name>) and all that they use, each once.
function(concord_room_closure out)
  set(todo ${ARGN})
  set(found "")
  while(todo)
    list(POP_FRONT todo room)
    if(NOT room IN_LIST found)
      list(APPEND found ${room})
      get_target_property(uses ${room} CONCORD_USES)
      list(APPEND todo ${uses})
    endif()
  endwhile()
  set(${out} ${found} PARENT_SCOPE)
endfunction()
