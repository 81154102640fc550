#include "base/warning.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

enum { MESSAGE_BYTES = 2048, REMEMBERED = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static am_warning_handler on_warning, on_progress;
static void *handler_context;
static uint64_t said[REMEMBERED]; /* hashes of the texts handed on, the oldest replaced first */
static unsigned said_count;
static _Thread_local bool is_quiet;

void am_warning_set_handler(am_warning_handler warnings, am_warning_handler progress, void *context)
{
    pthread_mutex_lock(&lock);
    on_warning = warnings;
    on_progress = progress;
    handler_context = context;
    said_count = 0;
    pthread_mutex_unlock(&lock);
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

static bool is_new(uint64_t hash)
{
    for (unsigned i = 0; i < said_count && i < REMEMBERED; i++)
        if (said[i] == hash) return false;
    said[said_count++ % REMEMBERED] = hash;
    return true;
}

void am_warn(const char *format, ...)
{
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&lock);
    if (on_warning && is_new(hash_of(text))) on_warning(handler_context, text);
    pthread_mutex_unlock(&lock);
}

void am_progress_quiet(bool quiet)
{
    is_quiet = quiet;
}

void am_progress(const char *format, ...)
{
    char text[MESSAGE_BYTES];
    va_list arguments;
    if (is_quiet) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&lock);
    if (on_progress) on_progress(handler_context, text);
    pthread_mutex_unlock(&lock);
}
