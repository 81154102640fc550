/* What tokenizers.c, tokenizer_calls.c and tokenizer_units.c share. */
#ifndef AM_RECORDED_TOKENIZERS_H
#define AM_RECORDED_TOKENIZERS_H

#include "base/json.h"
#include "recorded/recorded.h"
#include "text/tokenizer.h"

#include <string.h>

enum { AM_VERIFY_TEXTS = 1 << 14 };

/* A folder being checked. */
typedef struct am_verify_run {
    am_recorded *recorded;
    am_json texts, pairs;
    const char *folder;
    am_tokenizer *tokenizer;
    bool as_in_file, case_failed;
    char where[512], case_name[64];
    size_t line; /* of the file under way, from 1 */
    bool replaced_texts[AM_VERIFY_TEXTS], replaced_pairs[AM_VERIFY_TEXTS];
} am_verify_run;

typedef am_status (*am_verify_line)(am_verify_run *run, am_json line);

/* A case is passed when none of the checks between start and end failed; only the first failure is reported.
 */
void am_verify_start_case(am_verify_run *run, const char *kind, int64_t index);
void am_verify_end_case(am_verify_run *run);
void am_verify_fail(am_verify_run *run, const char *what, const char *expected, const char *found);

/* Fails the case unless it ended as expected; frees the status. */
void am_verify_status(am_verify_run *run, am_status status, bool error_expected);

/* Whether a line has one of these inputs and one of these answers (names, ending with null). Where not, nothing of it
   could be compared, and it is counted as unsupported. */
bool am_verify_is_known(am_verify_run *run, am_json line, const char *const *inputs, const char *const *answers);

/* Fails the case unless the two texts are equal. */
void am_verify_texts(am_verify_run *run, const char *what, am_text expected, am_text found);

/* Fails the case unless the list of `expected` equals the found numbers. */
void am_verify_numbers(am_verify_run *run, const char *what, am_json expected, const int32_t *found, size_t count);

/* Fails the case unless the list of `expected` equals the found texts. */
void am_verify_strings(am_verify_run *run, const char *what, am_json expected, const am_text *found, size_t count);

/* Fails the case unless the flat list of `expected` equals the found ranges. */
void am_verify_ranges(am_verify_run *run, const char *what, am_json expected, const am_text_range *found, size_t count);

/* Fails the case unless every field that `expected` has equals that of the encoding. */
void am_verify_encoding(am_verify_run *run, am_json expected, const am_encoding *found);

/* Encodes a batch and compares with "out" or "err" of `expected`. */
am_status am_verify_batch(am_verify_run *run, const am_text *texts, const am_text *pairs, size_t count,
                          const am_encode_options *options, am_json expected) AM_NODISCARD;

/* Texts of an array of strings, in memory freed with am_free. */
am_status am_verify_read_texts(am_json array, am_text **out, size_t *count) AM_NODISCARD;

/* Calls `run_line` for each line of a JSON lines file; a missing file has none. */
am_status am_verify_lines(am_verify_run *run, const char *path, am_verify_line run_line) AM_NODISCARD;

/* calls.jsonl (padding and truncation) and decode.jsonl (CTC). */
am_status am_verify_calls(am_verify_run *run, const char *folder) AM_NODISCARD;

/* words.jsonl (words with boxes or paths). */
am_status am_verify_words(am_verify_run *run, const char *folder) AM_NODISCARD;

/* A line of cases.jsonl that has a table: {"header", "rows", "query", "kw", "out" or "err"}. */
am_status am_verify_table(am_verify_run *run, am_json json) AM_NODISCARD;

/* A folder of single components. */
am_status am_verify_units(am_verify_run *run, const char *folder) AM_NODISCARD;

#endif
