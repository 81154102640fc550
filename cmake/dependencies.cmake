# Libraries that the project stands on, all packages of the distribution (scripts/install_packages.sh installs them,
# docs/decisions/ says why each).
find_package(Threads REQUIRED)
if(AM_CORE_ONLY)
  add_library(am_nettle STATIC ${PROJECT_SOURCE_DIR}/tests/cross/nettle.c)
  target_include_directories(am_nettle PUBLIC ${PROJECT_SOURCE_DIR}/tests/cross)
  set(AM_LIBRARIES Threads::Threads m ${CMAKE_DL_LIBS} am_nettle)
  return()
endif()
find_package(PkgConfig REQUIRED)
find_package(simdjson REQUIRED)
pkg_check_modules(AM_PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8>=10.40)
pkg_check_modules(AM_UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc) # its .pc file misstates the version (2.8 is needed)
pkg_check_modules(AM_PNG REQUIRED IMPORTED_TARGET libpng>=1.6)
pkg_check_modules(AM_JPEG REQUIRED IMPORTED_TARGET libjpeg>=2.1)
pkg_check_modules(AM_WEBP REQUIRED IMPORTED_TARGET libwebp>=1.2 libwebpdemux)
pkg_check_modules(AM_TIFF REQUIRED IMPORTED_TARGET libtiff-4>=4.5)
pkg_check_modules(AM_SNDFILE REQUIRED IMPORTED_TARGET sndfile>=1.1)
pkg_check_modules(AM_MPG123 REQUIRED IMPORTED_TARGET libmpg123>=1.26) # as libsndfile uses, but silent
pkg_check_modules(AM_VORBIS REQUIRED IMPORTED_TARGET vorbisfile)
pkg_check_modules(AM_SOXR REQUIRED IMPORTED_TARGET soxr>=0.1.3)
pkg_check_modules(AM_NETTLE REQUIRED IMPORTED_TARGET nettle>=3.7)
pkg_check_modules(AM_ZIP REQUIRED IMPORTED_TARGET libzip>=1.7)
pkg_check_modules(AM_ZLIB REQUIRED IMPORTED_TARGET zlib>=1.2)
find_package(GIF REQUIRED)

set(AM_LIBRARIES Threads::Threads m ${CMAKE_DL_LIBS} simdjson::simdjson PkgConfig::AM_PCRE2 PkgConfig::AM_UTF8PROC PkgConfig::AM_PNG
    PkgConfig::AM_JPEG PkgConfig::AM_WEBP PkgConfig::AM_TIFF PkgConfig::AM_SNDFILE PkgConfig::AM_MPG123 PkgConfig::AM_VORBIS
    PkgConfig::AM_SOXR PkgConfig::AM_ZIP PkgConfig::AM_ZLIB
    PkgConfig::AM_NETTLE GIF::GIF)

# Decoding videos: heavy, so only where it is there. Its headers say what the libraries are; they are loaded when a video is opened.
option(AM_VIDEO "Decode videos where FFmpeg's libraries are there" ON)
set(AM_DECODES_VIDEO FALSE)
if(AM_VIDEO)
  pkg_check_modules(AM_FFMPEG QUIET libavformat>=59 libavcodec>=59 libavutil>=57 libswscale>=6)
  set(AM_DECODES_VIDEO ${AM_FFMPEG_FOUND})
endif()
