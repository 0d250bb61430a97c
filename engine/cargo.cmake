# cmake -D CARGO= -D CRATE= -D TARGET_DIR= -D TASK="build;--release" -D HOST_PROCESSOR= -P cargo.cmake
#
# Runs one cargo task of the crate. raft's messages are generated at build time and want `protoc`. In order: $PROTOC, the
# one on the PATH, the one that the locked crate `protobuf-build` brings along, so that a bare host needs none.
set(locked --locked --manifest-path "${CRATE}/Cargo.toml")

function(bundled_protoc out)
  execute_process(COMMAND "${CARGO}" metadata --format-version 1 ${locked}
    OUTPUT_VARIABLE metadata ERROR_VARIABLE error RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "cargo metadata: ${error}")
  endif()
  if(NOT metadata MATCHES "\"manifest_path\":\"([^\"]*/protobuf-build-[^\"/]*)/Cargo.toml\"")
    message(FATAL_ERROR "no protoc on the PATH and no protobuf-build in ${CRATE}/Cargo.lock: install protobuf-compiler")
  endif()
  set(names_x86_64 protoc-linux-x86_64)
  set(names_aarch64 protoc-linux-aarch_64)
  set(protoc "${CMAKE_MATCH_1}/bin/${names_${HOST_PROCESSOR}}")
  if(NOT DEFINED names_${HOST_PROCESSOR} OR NOT EXISTS "${protoc}")
    message(FATAL_ERROR "no protoc for ${HOST_PROCESSOR}: install protobuf-compiler")
  endif()
  set(${out} "${protoc}" PARENT_SCOPE)
endfunction()

if(NOT DEFINED ENV{PROTOC})
  find_program(PROTOC_ON_PATH protoc)
  if(PROTOC_ON_PATH)
    set(ENV{PROTOC} "${PROTOC_ON_PATH}")
  else()
    bundled_protoc(protoc)
    set(ENV{PROTOC} "${protoc}")
  endif()
endif()
execute_process(COMMAND "${CARGO}" ${TASK} ${locked} --target-dir "${TARGET_DIR}" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "cargo ${TASK} failed")
endif()
