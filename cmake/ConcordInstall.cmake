# `cmake --install`: the library with its headers, find_package(concord), pkg-config concord, and the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/concord")
install(TARGETS concord_library EXPORT concord
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library NAMELINK_COMPONENT development)
install(DIRECTORY include/concord DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development FILES_MATCHING PATTERN "*.hpp")

install(EXPORT concord NAMESPACE concord:: FILE concordTargets.cmake DESTINATION "${package_dir}" COMPONENT development)
configure_package_config_file(cmake/concordConfig.cmake.in concordConfig.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(concordConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/concordConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/concordConfigVersion.cmake"
  DESTINATION "${package_dir}" COMPONENT development)

# The prefix stands in concord.pc relative to the file itself, so that an installed tree may be moved.
file(RELATIVE_PATH CONCORD_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" CONCORD_PC_TO_PREFIX "${CONCORD_PC_TO_PREFIX}")
configure_file(cmake/concord.pc.in concord.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/concord.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)

install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT library OPTIONAL)
install(DIRECTORY docs/ DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT development FILES_MATCHING PATTERN "*.md")
