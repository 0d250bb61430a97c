# `cpack`: Debian packages and a tarball of what `cmake --install` installs, under /usr.
#
#   libconcord<major>.<minor>   the library            (component library)
#   libconcord-dev              headers, CMake, pkg-config, documents   (development)
#   concord                     the program, its manual, completions    (program)
#   concord-server              units, user, settings, backup scripts   (server)
#
# `./dev package` calls it; tests/package installs, upgrades, removes and purges them in a root of their own.
set(deploy "${CMAKE_CURRENT_SOURCE_DIR}/deploy")
install(FILES "${deploy}/systemd/concord.service" DESTINATION lib/systemd/system COMPONENT server)
install(FILES "${deploy}/systemd/concord-backup.service" "${deploy}/systemd/concord-backup.timer"
  DESTINATION lib/systemd/system COMPONENT server)
install(PROGRAMS "${deploy}/scripts/backup.sh" "${deploy}/scripts/restore.sh" DESTINATION share/concord COMPONENT server)
install(PROGRAMS "${deploy}/scripts/redis-dump.sh" DESTINATION share/concord COMPONENT program) # for `concord import`
install(FILES "${deploy}/cron/concord-backup" DESTINATION share/doc/concord-server/examples COMPONENT server)
install(FILES "${deploy}/systemd/sysusers.conf" DESTINATION lib/sysusers.d RENAME concord.conf COMPONENT server)
install(FILES "${deploy}/debian/concord.toml" DESTINATION share/concord COMPONENT server) # postinst puts it into /etc

set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME concord)
set(CPACK_PACKAGE_VENDOR "Concord")
set(CPACK_PACKAGE_CONTACT "Concord <concord@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "strongly consistent key-value store")
set(CPACK_RESOURCE_FILE_LICENSE "${CMAKE_CURRENT_SOURCE_DIR}/LICENSE")
set(CPACK_COMPONENTS_ALL library development program server)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON) # on the same version
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SECTION database)

set(library_package "libconcord${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME "${library_package}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_PROVIDES libconcord)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "strongly consistent key-value store that starts inside your program
 Replicated by Raft, kept on disk, read in well below a microsecond. This is the
 library for programs that were built with libconcord-dev.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libconcord-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DEPENDS library)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libboost-json1.81-dev | libboost-json-dev (>= 1.81)")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "strongly consistent key-value store, for C++ programs
 Headers, find_package(concord), pkg-config concord, and the documents.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME concord)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "strongly consistent key-value store, the program
 `concord start` runs a node with an HTTP API; every other subcommand is a client.
 To run it as a service, install concord-server.")
set(CPACK_DEBIAN_SERVER_PACKAGE_NAME concord-server)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_COMPONENT_SERVER_DEPENDS program)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS "passwd")
set(CPACK_COMPONENT_SERVER_DESCRIPTION "strongly consistent key-value store, as a service
 A node of Concord under systemd: unit, user, settings in /etc/concord.")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  "${deploy}/debian/postinst;${deploy}/debian/prerm;${deploy}/debian/postrm")

# What a package for Debian has besides: a copyright file each.
foreach(package ${library_package}:library libconcord-dev:development concord:program concord-server:server)
  string(REGEX MATCH "^([^:]+):(.+)$" _ "${package}")
  install(FILES LICENSE DESTINATION "share/doc/${CMAKE_MATCH_1}" RENAME copyright COMPONENT ${CMAKE_MATCH_2})
endforeach()
include(CPack)
