# libconcord, the shipped library: target concord_library, in this tree and for its users concord::concord.
#
# One shared library of the rooms that a program with a node inside needs; the rooms for servers (http, config) stay in the
# program `concord`. What leaves it are the symbols marked CONCORD_API in include/concord and nothing else: rooms are compiled
# hidden, and the version script hides what third-party code compiled into it would show. Reasons:
# docs/decisions/0002-shipped-library.md.
set(roots concord_value concord_compress)
if(TARGET concord_database)
  list(APPEND roots concord_database concord_recipes concord_client)
endif()
concord_room_closure(rooms ${roots})

set(objects ${rooms})
list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")
add_library(concord_library SHARED ${objects})
add_library(concord::concord ALIAS concord_library)

set(version_script "${CMAKE_CURRENT_SOURCE_DIR}/cmake/libconcord.map")
set_target_properties(concord_library PROPERTIES
  OUTPUT_NAME concord
  EXPORT_NAME concord
  LINKER_LANGUAGE CXX
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} # before 1.0 every minor version may change the binary interface
  LINK_DEPENDS "${version_script}")
target_compile_features(concord_library INTERFACE cxx_std_23)
target_include_directories(concord_library INTERFACE
  "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>" $<INSTALL_INTERFACE:include>)
target_link_libraries(concord_library PUBLIC Boost::json PRIVATE ${rooms})
target_link_options(concord_library PRIVATE
  "LINKER:--version-script=${version_script}" LINKER:-Bsymbolic-functions LINKER:--as-needed)
if(NOT CONCORD_SANITIZE) # whose functions are found only in the program
  target_link_options(concord_library PRIVATE LINKER:-z,defs)
endif()
