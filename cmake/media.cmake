# What the floor media decodes with: libjpeg-turbo, libpng, libwebp and FFmpeg, each of them optional and private to it. A build without
# one has src/media/without.cpp's sentence in its place; so has a cross build, whose libraries would be this machine's.
option(GEMMA3N_MEDIA "decode pictures, sound and video (libjpeg-turbo, libpng, libwebp, FFmpeg)" ON)
set(G3N_MEDIA_LIBS "")  # for pkg-config's static link line
set(media ${PROJECT_SOURCE_DIR}/src/media)
if(GEMMA3N_MEDIA AND NOT CMAKE_CROSSCOMPILING)
  find_package(PkgConfig QUIET)
endif()
# media_library(NAME packages "libraries" files...): files are left out without the packages
function(media_library name packages libraries)
  if(PkgConfig_FOUND AND GEMMA3N_MEDIA AND NOT CMAKE_CROSSCOMPILING)
    pkg_check_modules(G3N_${name} QUIET IMPORTED_TARGET ${packages})
  endif()
  if(TARGET PkgConfig::G3N_${name})
    target_link_libraries(g3n_media PUBLIC PkgConfig::G3N_${name})
    target_link_libraries(gemma3n_lib PRIVATE PkgConfig::G3N_${name})
    target_compile_definitions(g3n_media PRIVATE G3N_${name})
    set(G3N_MEDIA_LIBS "${G3N_MEDIA_LIBS} ${libraries}" PARENT_SCOPE)
  else()
    message(STATUS "media: built without ${packages}")
    foreach(f ${ARGN})
      set_source_files_properties(${media}/${f}.cpp PROPERTIES HEADER_FILE_ONLY ON)
    endforeach()
  endif()
endfunction()
media_library(JPEG libjpeg "-ljpeg" jpeg)
media_library(PNG libpng "-lpng" png)
media_library(WEBP "libwebp;libwebpdemux" "-lwebpdemux -lwebp" webp)
# FFmpeg 5.1 is the first with these layouts of channels
media_library(FFMPEG "libavformat>=59.27;libavcodec>=59.37;libavutil>=57.28;libswscale>=6.7"
              "-lavformat -lavcodec -lswscale -lavutil" container decoder track soundtrack frames video live)
if(NOT TARGET PkgConfig::G3N_FFMPEG)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/media/live_test.cpp ${PROJECT_SOURCE_DIR}/tests/media/camera_test.cpp PROPERTIES HEADER_FILE_ONLY ON)
endif()
