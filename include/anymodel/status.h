/* Errors are values. A null am_status is success; anything else carries a code and a message that says what
   was wrong, what was expected, what was found, and where. The caller who receives one frees it. */
#ifndef ANYMODEL_STATUS_H
#define ANYMODEL_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define AM_NODISCARD           __attribute__((warn_unused_result))
#define AM_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define AM_NODISCARD
#define AM_PRINTF(text, first)
#endif

#if defined(__GNUC__) && !defined(AM_STATIC)
#define AM_API __attribute__((visibility("default")))
#else
#define AM_API
#endif

/* One row per kind of failure; the numbers are also the exit codes of the command line program and never
 * change. */
#define AM_STATUS_CODES(ROW)                                                                                           \
    ROW(AM_OK, 0, "ok", "it worked")                                                                                   \
    ROW(AM_FAILED, 1, "failed", "a check that ran did not hold (verify: a case failed)")                               \
    ROW(AM_INVALID_ARGUMENT, 2, "invalid argument", "the call or command line makes no sense")                         \
    ROW(AM_NOT_FOUND, 3, "not found", "a file, tensor, key or name is not there")                                      \
    ROW(AM_INVALID_FILE, 4, "invalid file", "a file is truncated, malformed or contradicts itself")                    \
    ROW(AM_UNSUPPORTED, 5, "unsupported", "well-formed, but this build has no implementation of it")                   \
    ROW(AM_OUT_OF_MEMORY, 6, "out of memory", "memory could not be had, or a limit forbids it")                        \
    ROW(AM_IO, 7, "input/output error", "the operating system refused to read or write")                               \
    ROW(AM_OUT_OF_RANGE, 8, "out of range", "an input value is outside what the model takes")                          \
    ROW(AM_UNAVAILABLE, 9, "unavailable", "the wanted target is not on this machine")                                  \
    ROW(AM_CANCELLED, 10, "cancelled", "the caller asked to stop")                                                     \
    ROW(AM_INTERNAL, 11, "internal error", "a promise of this program to itself was broken; please report it")

typedef enum am_code {
#define ROW(id, number, text, meaning) id = number,
    AM_STATUS_CODES(ROW)
#undef ROW
} am_code;

typedef struct am_status_object *am_status;

/* Code of a status; AM_OK of null. */
AM_API am_code am_status_code(am_status status);

/* Message without the code's text; "" of null. Valid until the status is freed. */
AM_API const char *am_status_message(am_status status);

/* Frees a status; null is allowed. */
AM_API void am_status_free(am_status status);

/* "unsupported" for AM_UNSUPPORTED and so on; a static string. */
AM_API const char *am_code_text(am_code code);

#ifdef __cplusplus
}
#endif
#endif
