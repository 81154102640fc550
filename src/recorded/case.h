/* What the files here share. */
#ifndef AM_RECORDED_CASE_H
#define AM_RECORDED_CASE_H

#include "base/json.h"
#include "recorded/recorded.h"

#include <anymodel/tensor.h>

typedef struct am_verifier {
    const char *folder;
    am_recorded *recorded;
} am_verifier;

/* Counts a case by its outcome, which is freed: null passed, AM_UNSUPPORTED is unsupported, anything else
   failed and is reported as "NAME: message". AM_OUT_OF_MEMORY is given back instead. */
am_status am_verify_count(am_verifier *verifier, am_status outcome, const char *format, ...)
    AM_PRINTF(3, 4) AM_NODISCARD;

/* Turns the outcome of a case that must fail into one that must not: AM_FAILED when it did not fail. */
am_status am_verify_expect_failure(am_status outcome) AM_NODISCARD;

typedef struct am_verify_tolerance {
    double absolute, relative;           /* an element passes within the larger of the two */
    double mean_absolute, mean_relative; /* the same of mean and root mean square */
} am_verify_tolerance;

/* Compares with a recorded array {"shape", "mean", "rms", and "full", "all" or "at"} (its elements or samples
   of them, 512 or as many as "samples" says). AM_FAILED names the first difference. */
am_status am_verify_array(am_json expected, const am_tensor *found, const am_verify_tolerance *tolerance) AM_NODISCARD;

/* The numbers of {"prng": NAME, "shape", "lo", "hi", "then"}, as the folder's README says: f32, or i64 where `then`
   makes them whole. out->data is freed with am_free_aligned. AM_INVALID_FILE when it is something else. */
am_status am_verify_seeded(am_json recipe, am_tensor *out) AM_NODISCARD;

/* Calls visit for each file of folder/subfolder whose name ends in `ending`, in the order of names. */
am_status am_verify_each_file(am_verifier *verifier, const char *subfolder, const char *ending,
                              am_status (*visit)(am_verifier *verifier, const char *path)) AM_NODISCARD;

/* "FOLDER/name", freed with am_free; null when there is no memory. */
char *am_verifier_path(const am_verifier *verifier, const char *name);

/* Opens FOLDER/name; *out is null when there is no such file. */
am_status am_verify_open(const am_verifier *verifier, const char *name, am_json_document **out) AM_NODISCARD;

/* Element i of an array, MISSING beyond its end. */
am_json am_verify_element(am_json array, int64_t i);

#endif
