#include "media/ffmpeg/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { UTIL, CODEC, FORMAT, SCALE, LIBRARIES };

/* A library before those that need it. */
static const char *const files[LIBRARIES] = {
    "libavutil.so." AV_STRINGIFY(LIBAVUTIL_VERSION_MAJOR),
    "libavcodec.so." AV_STRINGIFY(LIBAVCODEC_VERSION_MAJOR),
    "libavformat.so." AV_STRINGIFY(LIBAVFORMAT_VERSION_MAJOR),
    "libswscale.so." AV_STRINGIFY(LIBSWSCALE_VERSION_MAJOR),
};

static struct {
    pthread_once_t once;
    am_ffmpeg functions;
    char error[256]; /* "" when all is there */
} library = {.once = PTHREAD_ONCE_INIT};

static bool find(void *handle, const char *name, void *out)
{
    void *symbol = dlsym(handle, name);
    memcpy(out, &symbol, sizeof symbol);
    if (!symbol) snprintf(library.error, sizeof library.error, "there is no %s", name);
    return symbol != NULL;
}

/* They stay loaded until the process ends. What they would print is not wanted. */
static void load(void)
{
    void *handles[LIBRARIES];
    am_ffmpeg *f = &library.functions;
    for (int i = 0; i < LIBRARIES; i++) {
        handles[i] = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
        if (handles[i]) continue;
        snprintf(library.error, sizeof library.error, "%s", dlerror());
        return;
    }
#define AM_FFMPEG_FIND(from, name) &&find(handles[from], #name, &f->name)
    if (!(true AM_FFMPEG_FUNCTIONS(AM_FFMPEG_FIND))) return;
#undef AM_FFMPEG_FIND
    f->av_log_set_level(AV_LOG_QUIET);
    f->av_max_alloc(AM_FFMPEG_MAX_BLOCK);
}

am_status am_ffmpeg_load(const am_ffmpeg **out)
{
    pthread_once(&library.once, load);
    *out = &library.functions;
    if (!*library.error) return NULL;
    return am_error(AM_UNSUPPORTED, "videos are decoded by FFmpeg's libraries, which cannot be loaded: %s",
                    library.error);
}
