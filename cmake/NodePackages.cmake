# concord_node_packages(<out> <directory> [<folder>]): the npm packages that <directory>/package-lock.json names, installed when
# they are needed. <out>_DIR is where node finds them (a copy of package.json beside node_modules, in <folder> of the build tree,
# node_packages unless said), <out>_STAMP the file to depend on.
#
# The lock file names versions and digests and no host; no package runs a script while it is installed.
find_program(NPM npm REQUIRED)

function(concord_node_packages out directory)
  set(folder node_packages)
  if(ARGC GREATER 2)
    set(folder "${ARGV2}")
  endif()
  set(work "${CMAKE_CURRENT_BINARY_DIR}/${folder}")
  set(locked "${directory}/package.json" "${directory}/package-lock.json")
  add_custom_command(
    OUTPUT "${work}/installed"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${work}"
    COMMAND "${CMAKE_COMMAND}" -E copy ${locked} "${work}"
    COMMAND "${CMAKE_COMMAND}" -E chdir "${work}" "${NPM}" ci --ignore-scripts --no-audit --no-fund --no-update-notifier
      --loglevel=error --fetch-retries=5
    COMMAND "${CMAKE_COMMAND}" -E touch "${work}/installed"
    DEPENDS ${locked}
    COMMENT "Installing the npm packages of ${directory}"
    VERBATIM)
  set(${out}_DIR "${work}" PARENT_SCOPE)
  set(${out}_STAMP "${work}/installed" PARENT_SCOPE)
endfunction()
