/* The Mojo kernels as a shared library: built on the user's machine by the user's SDK when they are first wanted, kept
   in the cache folder, loaded once into the process.

   Every kernel of the library has the signature am_mojo_work: it computes a range of work and nothing else. Memory,
   threads, shapes and errors stay on this side. */
#ifndef AM_TARGETS_MOJO_LIBRARY_H
#define AM_TARGETS_MOJO_LIBRARY_H

#include "base/buffer.h"
#include "base/status.h"

#include <stdatomic.h>
#include <stdint.h>

/* The oldest version whose syntax the kernels are written in. */
#define AM_MOJO_OLDEST "1.2"

/* What the sources export as am_mojo_abi(); another number is refused. */
enum { AM_MOJO_ABI = 1 };

/* Loads the library, building it first where the cache folder ("mojo") has none for these sources, this SDK and this
   cpu, or has one that is damaged: seconds of compiling, told by am_progress, in a child process. `cancelled` (may be
   null) ends that process and the call. Processes and threads that want the library at the same time wait for one of
   them. Later calls return at once; the library stays loaded. Fails with AM_UNAVAILABLE when there is no SDK or it is
   older than AM_MOJO_OLDEST, AM_FAILED with the compiler's words when the build fails, AM_INVALID_FILE when what was
   built cannot be loaded, AM_INTERNAL when cancelled, AM_IO. */
am_status am_mojo_library_open(const atomic_bool *cancelled) AM_NODISCARD;

/* The built library as what a program was compiled into (am_target.export): appends its key, which is of all that it
   depends on, and its bytes. Fails with AM_UNAVAILABLE without the SDK, AM_IO. */
am_status am_mojo_export(const void *program, am_buffer *out) AM_NODISCARD;

/* Puts an exported library into the cache folder, where there is none yet. Fails with AM_UNSUPPORTED where it is for
   another SDK, cpu or version of the kernels. */
am_status am_mojo_install(const void *bytes, size_t length) AM_NODISCARD;

/* "Mojo 1.2.0, 8 floats a vector" of the loaded library; "" before. */
const char *am_mojo_library_text(void);

/* Floats in a vector of the loaded library; 0 before. */
int64_t am_mojo_vector_width(void);

/* Computes items [begin, end) of a kernel's work. args: the words its source says. */
typedef void (*am_mojo_work)(const int64_t *args, int64_t begin, int64_t end);

typedef enum am_mojo_function {
#define AM_MOJO_FUNCTION(id, name) AM_MOJO_##id,
#include "targets/mojo/functions.def"
#undef AM_MOJO_FUNCTION
    AM_MOJO_FUNCTION_COUNT
} am_mojo_function;

/* A kernel of the loaded library; null before am_mojo_library_open has succeeded. */
am_mojo_work am_mojo_function_of(am_mojo_function function);

#endif
