# cmake --install: the command, the model that comes with it, the library, its headers and a pkg-config file.
if(TARGET gemma3n)
  install(TARGETS gemma3n RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/nano DESTINATION ${CMAKE_INSTALL_DATADIR}/gemma3n OPTIONAL)
  # a command finds models/ from its own folder upwards (hub/shipped.h), which in a build folder outside of the checkout leads nowhere
  cmake_path(IS_PREFIX PROJECT_SOURCE_DIR ${PROJECT_BINARY_DIR} NORMALIZE inside)
  if(NOT inside)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/models ${PROJECT_BINARY_DIR}/models SYMBOLIC)
  endif()
endif()
install(TARGETS gemma3n_lib ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/gemma3n DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# relative, so that cmake --install --prefix may put it anywhere
file(RELATIVE_PATH G3N_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/gemma3n.pc.in ${PROJECT_BINARY_DIR}/gemma3n.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gemma3n.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
