# The web console: TypeScript that esbuild makes one script of, part of the program (docs/decisions/0015).
#
# esbuild only takes the types out; a test has them checked (tests/browser).
set(console "${CMAKE_CURRENT_LIST_DIR}")
concord_node_packages(console "${console}" console_packages)
set(console_modules "${console_DIR}/node_modules")
set_property(GLOBAL PROPERTY CONCORD_CONSOLE_MODULES "${console_modules}") # for its tests
set(console_built "${CMAKE_CURRENT_BINARY_DIR}/console")
file(GLOB_RECURSE console_sources CONFIGURE_DEPENDS "${console}/src/*.ts" "${console}/src/*.tsx")
list(FILTER console_sources EXCLUDE REGEX "_test\\.ts$")
add_custom_command(
  OUTPUT "${console_built}/console.js" "${console_built}/early.js" "${console_built}/console.css"
  COMMAND "${CMAKE_COMMAND}" -E env "NODE_PATH=${console_modules}"
    "${console_modules}/.bin/esbuild" console=src/main.tsx early=src/early.ts src/console.css
    --bundle --minify --format=iife --target=es2022 "--outdir=${console_built}" --log-level=warning
  DEPENDS "${console_STAMP}" ${console_sources} "${console}/src/console.css" "${console}/tsconfig.json"
  WORKING_DIRECTORY "${console}"
  COMMENT "Making the script of the console"
  VERBATIM)
concord_embed_files(concord_http
  HEADER http/embedded_file.hpp
  FUNCTION concord::http::console_files
  FILES
    "index.html=${console}/src/index.html" "early.js=${console_built}/early.js" "console.js=${console_built}/console.js"
    "console.css=${console_built}/console.css" "icon.svg=${console}/src/icon.svg"
    # what its license asks to go with it
    "preact.LICENSE.txt=${console_modules}/preact/LICENSE"
  DEPENDS
    "${console_STAMP}" "${console_built}/early.js" "${console_built}/console.js" "${console_built}/console.css"
    "${console}/src/index.html" "${console}/src/icon.svg")
