/* What a task is given. */
#ifndef ANYMODEL_INPUT_H
#define ANYMODEL_INPUT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One input; fields not used by the task stay null. Images, sounds and videos are files by path, or bytes. */
typedef struct am_task_input {
    const char *text, *text_pair; /* or question and context */
    const char *path;             /* of an image, a sound or a video */
    const void *bytes;            /* instead of a path */
    size_t size_bytes;
} am_task_input;

#ifdef __cplusplus
}
#endif
#endif
