# make install: the program, both libraries, headers, pkg-config file, shell completions, licence.
if(AM_CORE_ONLY)
  return()
endif()
include(GNUInstallDirs)

install(TARGETS anymodel_static anymodel_shared ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET anymodel)
  install(TARGETS anymodel RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET anymodel-max-compile)
  install(TARGETS anymodel-max-compile RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/anymodel)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/anymodel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
if(EXISTS ${PROJECT_SOURCE_DIR}/LICENSE)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()

# The libraries of AM_LIBRARIES as -l options, for the pkg-config file.
set(AM_PC_LIBRARIES "-lsimdjson -lgif")
foreach(library ${AM_LIBRARIES})
  if(library MATCHES "^PkgConfig::(.*)$")
    foreach(name ${${CMAKE_MATCH_1}_LIBRARIES})
      string(APPEND AM_PC_LIBRARIES " -l${name}")
    endforeach()
  endif()
endforeach()
file(RELATIVE_PATH AM_PC_ROOT /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/anymodel.pc.in ${AM_GENERATED_DIR}/anymodel.pc @ONLY)
install(FILES ${AM_GENERATED_DIR}/anymodel.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Written by the program (make docs); a test compares them with what it writes now.
install(FILES ${PROJECT_SOURCE_DIR}/scripts/completions/anymodel.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME anymodel)
install(FILES ${PROJECT_SOURCE_DIR}/scripts/completions/_anymodel DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
