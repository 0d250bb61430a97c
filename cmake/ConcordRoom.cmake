# concord_room(<name> SOURCES ... [TESTS ...] [USES room ...] [LINKS external-target ...])
#
# One room: the object library concord_<name> of src/<name>, and, with CONCORD_TESTS, the program <name>_test of the tests
# beside its code. USES names the rooms it may include; tests/gates checks that against the real includes. A room sees its
# own headers as "name/file.hpp" and the public ones as <concord/file.hpp>.
set(CONCORD_SOURCE_ROOT "${CMAKE_CURRENT_SOURCE_DIR}/src")

function(concord_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "" "" "SOURCES;TESTS;TEST_SOURCES;USES;LINKS")
  set(target concord_${name})
  add_library(${target} STATIC ${ROOM_SOURCES})
  target_include_directories(${target} PUBLIC "${CONCORD_SOURCE_ROOT}" "${CONCORD_SOURCE_ROOT}/../include")
  list(TRANSFORM ROOM_USES PREPEND concord_)
  target_link_libraries(${target} PUBLIC ${ROOM_USES} ${ROOM_LINKS} PRIVATE concord_options)
  set_property(GLOBAL APPEND PROPERTY CONCORD_ROOMS ${target})
  if(CONCORD_TESTS AND ROOM_TESTS)
    add_executable(${name}_test ${ROOM_TESTS} ${ROOM_TEST_SOURCES})
    target_link_libraries(${name}_test PRIVATE ${target} concord_options GTest::gtest_main GTest::gmock)
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60)
  endif()
endfunction()
