# concord_python_packages(<target> <requirements.txt>): a virtual environment with these packages from PyPI, in the build tree; built with
# everything. Sets <target>_environment to its directory.
function(concord_python_packages target requirements)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(environment "${CMAKE_CURRENT_BINARY_DIR}/environment")
  cmake_path(ABSOLUTE_PATH requirements BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  add_custom_command(
    OUTPUT "${environment}/installed"
    COMMAND Python3::Interpreter -m venv --clear "${environment}"
    COMMAND "${environment}/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --retries 5
      -r "${requirements}"
    COMMAND "${CMAKE_COMMAND}" -E touch "${environment}/installed"
    DEPENDS "${requirements}"
    COMMENT "Installing ${target} from PyPI"
    VERBATIM)
  add_custom_target(${target} ALL DEPENDS "${environment}/installed")
  set(${target}_environment "${environment}" PARENT_SCOPE)
endfunction()
