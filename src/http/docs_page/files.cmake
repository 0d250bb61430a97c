# The page of the API documentation: Swagger UI and what makes it ours, part of the program (docs/decisions/0006).
set(page "${CMAKE_CURRENT_LIST_DIR}")
concord_node_packages(swagger "${page}")
set(dist "${swagger_DIR}/node_modules/swagger-ui-dist")
concord_embed_files(concord_http
  HEADER http/embedded_file.hpp
  FUNCTION concord::http::docs_page_files
  FILES
    "index.html=${page}/index.html" "page.css=${page}/page.css" "page.js=${page}/page.js"
    "swagger-ui.css=${dist}/swagger-ui.css" "swagger-ui-bundle.js=${dist}/swagger-ui-bundle.js"
    "favicon-32x32.png=${dist}/favicon-32x32.png"
    # what their licenses ask to go with them
    "LICENSE=${dist}/LICENSE" "NOTICE=${dist}/NOTICE" "swagger-ui-bundle.js.LICENSE.txt=${dist}/swagger-ui-bundle.js.LICENSE.txt"
  DEPENDS "${swagger_STAMP}" "${page}/index.html" "${page}/page.css" "${page}/page.js")
