/* What a command is given: words on the command line, files, stdin. */
#ifndef AM_CLI_INPUTS_H
#define AM_CLI_INPUTS_H

#include "cli/command.h"

#include <stdbool.h>
#include <stddef.h>

/* A file's bytes, with a zero byte after them. */
typedef struct am_cli_bytes {
    char *bytes;
    size_t length;
} am_cli_bytes;

/* Reads a file, or stdin for "-". Gives AM_OK, AM_NOT_FOUND, AM_IO or AM_OUT_OF_MEMORY; errno says more. */
am_code am_cli_read(const char *path, am_cli_bytes *out);

/* Cuts off one line end at the end. */
void am_cli_cut_line_end(am_cli_bytes *text);

/* Whether bytes begin as an image or a sound does, or are no text at all (a zero byte among them). */
bool am_cli_is_media(const char *bytes, size_t length);

/* Whether a path names a file that can be read. */
bool am_cli_is_file(const char *path);

/* Whether a path is "-" or names a pipe or a device, which can be read only once. */
bool am_cli_is_stream(const char *path);

/* Whether a task reads images or sounds. */
bool am_cli_task_takes_media(const char *task);

/* Whether a task, null for none, has a parameter of that name. */
bool am_cli_task_has_parameter(const char *task, const char *name);

/* What one INPUT stands for: a text, or the path of a file. *owned holds what was read for it, freed with free. Gives
   the exit code; errors are reported. */
int am_cli_make_input(const am_globals *globals, const char *text, bool takes_media, am_task_input *out,
                      am_cli_bytes *owned);

#endif
