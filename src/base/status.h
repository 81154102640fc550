/* Making and passing on errors; see include/anymodel/status.h for the type. */
#ifndef AM_BASE_STATUS_H
#define AM_BASE_STATUS_H

#include <anymodel/status.h>

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* On functions that give no success: compilers then know that AM_TRY returns. */
#if defined(__GNUC__)
#define AM_NEVER_NULL __attribute__((returns_nonnull))
#else
#define AM_NEVER_NULL
#endif

/* A new status with a formatted message. Where memory is too short even for that, a static out-of-memory
 * status. */
am_status am_error(am_code code, const char *format, ...) AM_PRINTF(2, 3) AM_NODISCARD AM_NEVER_NULL;
am_status am_error_v(am_code code, const char *format, va_list arguments) AM_NODISCARD AM_NEVER_NULL;

/* Puts "NOTE: " before the message of a failed status: where it happened, from the caller's point of view.
   Takes the status and gives back one to be freed in its stead; null stays null. */
am_status am_note(am_status status, const char *format, ...) AM_PRINTF(2, 3) AM_NODISCARD;

/* The status for a failed allocation of `bytes`; allocates nothing. */
am_status am_out_of_memory(void) AM_NODISCARD AM_NEVER_NULL;

/* AM_IO (or AM_NOT_FOUND for ENOENT) with the text of errno: "cannot WHAT PATH: reason". */
am_status am_error_from_errno(const char *what, const char *path) AM_NODISCARD AM_NEVER_NULL;

/* Returns a failed status to the caller. */
#define AM_TRY(expression)                                                                                             \
    do {                                                                                                               \
        am_status am_try_status = (expression);                                                                        \
        if (am_try_status) return am_try_status;                                                                       \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
