# Registries made from the folders: src/models/*.c, src/tasks/*.c ... each export one descriptor named after the file.
# am_registry(NAME FOLDER TYPE PREFIX HEADER): a source with
#     const TYPE *const am_NAME_registry[] = { &am_PREFIX_<file> ..., NULL };
set(AM_GENERATED_DIR ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${AM_GENERATED_DIR})
set(AM_GENERATED_SOURCES)
set(AM_GENERATED_CLI_SOURCES)

function(am_registry name folder type prefix header out_list)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.c)
  set(declarations "")
  set(rows "")
  foreach(file ${files})
    get_filename_component(base ${file} NAME_WE)
    file(STRINGS ${file} defines REGEX "^const ${type} am_${prefix}_${base} =")
    if(defines)
      string(APPEND declarations "extern const ${type} am_${prefix}_${base};\n")
      string(APPEND rows "    &am_${prefix}_${base},\n")
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  endforeach()
  set(text "/* Generated from src/${folder}. */\n#include \"${header}\"\n\n#include <stddef.h>\n\n${declarations}\n")
  string(APPEND text "const ${type} *const am_${name}_registry[] = {\n${rows}    NULL,\n};\n")
  set(target ${AM_GENERATED_DIR}/${name}_registry.c)
  file(CONFIGURE OUTPUT ${target} CONTENT "${text}" @ONLY)
  set(${out_list} ${${out_list}} ${target} PARENT_SCOPE)
endfunction()

am_registry(model models am_model_type model "models/model.h" AM_GENERATED_SOURCES)
