#include "cli/command.h"
#include "cli/outline.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool progress_shown;

void am_cli_progress_end(void)
{
    if (progress_shown) fputs("\r\033[K", stderr);
    progress_shown = false;
}

void am_cli_progress(const char *format, ...)
{
    if (!isatty(STDERR_FILENO)) return;
    am_cli_progress_end();
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fflush(stderr);
    progress_shown = true;
}

void am_cli_note(const am_globals *globals, const char *format, ...)
{
    if (!globals->verbose) return;
    am_cli_progress_end();
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void am_cli_put_json_text(FILE *file, const char *text, size_t length)
{
    fputc('"', file);
    for (const unsigned char *c = (const unsigned char *)text, *end = c + length; c < end; c++) {
        if (*c == '"' || *c == '\\') fprintf(file, "\\%c", *c);
        else if (*c == '\n') fputs("\\n", file);
        else if (*c < 0x20 || *c == 0x7f) fprintf(file, "\\u%04x", *c);
        else fputc(*c, file);
    }
    fputc('"', file);
}

void am_cli_put_json_string(FILE *file, const char *text)
{
    am_cli_put_json_text(file, text, strlen(text));
}

static int report(const am_globals *globals, am_code code, const char *message)
{
    am_cli_progress_end();
    if (globals->json) {
        printf("{\"error\": {\"code\": %d, \"text\": \"%s\", \"message\": ", (int)code, am_code_text(code));
        am_cli_put_json_string(stdout, message);
        puts("}}");
    }
    fflush(stdout);
    fprintf(stderr, "anymodel: %d %s: %s\n", (int)code, am_code_text(code), message);
    return (int)code;
}

int am_cli_fail(const am_globals *globals, am_code code, const char *format, ...)
{
    char message[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return report(globals, code, message);
}

int am_cli_fail_status(const am_globals *globals, am_status status)
{
    if (!status) return AM_OK;
    int code = report(globals, am_status_code(status), am_status_message(status));
    am_status_free(status);
    return code;
}

double am_cli_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int am_cli_put_result(const am_globals *globals, am_status status, char *json)
{
    am_cli_progress_end();
    if (status) return am_cli_fail_status(globals, status);
    if (globals->json) puts(json);
    else am_cli_put_outline(stdout, json);
    am_string_free(json);
    return AM_OK;
}

am_status am_cli_open_model(const am_globals *globals, const char *directory, am_model **out)
{
    double begin_ms = am_cli_now_ms();
    am_cli_progress("loading %s ...", directory);
    am_status status = am_model_open(directory,
                                     &(am_model_options){.target = globals->target,
                                                         .target_policy = globals->target_policy,
                                                         .auto_class = globals->auto_class,
                                                         .tokenizer = globals->tokenizer,
                                                         .weights = globals->weights,
                                                         .dtype = globals->dtype},
                                     out);
    am_cli_progress_end();
    if (!status)
        am_cli_note(globals, "%s: %s, opened in %.1f ms, %d threads", directory, am_model_architecture(*out),
                    am_cli_now_ms() - begin_ms, am_get_threads());
    return status;
}
