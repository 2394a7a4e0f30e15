# Writes OUT, a C++ file that defines the assets in FOLDER as strings. The build runs this script when an asset changes.
set(text "#include \"report/html.h\"\n\nnamespace slopegan::assets {\n")
foreach(asset page=page.html sweep_pictures=sweep_pictures.html run_pictures=run_pictures.html style=report.css
        script=report.js)
  string(REGEX MATCH "^([a-z_]+)=(.+)$" ignored ${asset})
  set(name ${CMAKE_MATCH_1})
  file(READ ${FOLDER}/${CMAKE_MATCH_2} content)
  string(APPEND text "const std::string_view ${name} = R\"slopegan_asset(${content})slopegan_asset\";\n")
endforeach()
string(APPEND text "}  // namespace slopegan::assets\n")
file(WRITE ${OUT} "${text}")
