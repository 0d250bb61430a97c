# Language, warnings, sanitizers: the same for every target of the project.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # __int128
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

# A function of the library is never replaced by one of the host: calls between its functions may be direct and inlined.
add_compile_options(-fno-semantic-interposition)

add_library(concord_options INTERFACE)
target_compile_options(concord_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-align
  -Woverloaded-virtual -Wundef)
if(CONCORD_WERROR)
  target_compile_options(concord_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(concord_options INTERFACE -Wno-restrict) # GCC bug 105329: false on `"text" + std::string`
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # What is deprecated are only functions that algorithms of libstdc++ 12 use themselves.
  target_compile_options(concord_options INTERFACE -Wthread-safety -Wno-c++2b-extensions -Wno-deprecated-declarations)
endif()
# Tests run once, what they test runs for years: a quarter of the time that a test takes to compile goes.
add_library(concord_test_options INTERFACE)
target_link_libraries(concord_test_options INTERFACE concord_options)
target_compile_options(concord_test_options INTERFACE $<$<CONFIG:Release>:-O1>)

if(CONCORD_SANITIZE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(concord_options INTERFACE -Wno-maybe-uninitialized) # false in instrumented code
  endif()
  add_compile_options(-fsanitize=${CONCORD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CONCORD_SANITIZE})
endif()
if(CONCORD_MUTANTS)
  add_compile_definitions(CONCORD_MUTANTS) # src/base/mutant.hpp
endif()
if(CONCORD_FUZZ) # every room tells libFuzzer where an input went; only the targets themselves get its main()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
