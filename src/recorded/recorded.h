/* Comparing this build's tokenizers, chat templates, images, sounds and pipelines with recorded answers of the Python
   libraries, in folders laid out as tests/unit/text/data/README.md and tests/unit/media/data/README.md say. */
#ifndef AM_RECORDED_RECORDED_H
#define AM_RECORDED_RECORDED_H

#include "base/buffer.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What was found so far, and who is told. */
typedef struct am_recorded {
    /* Unsupported: well-formed, but of a class, or in a way, that is not there; never counted as passed. */
    int64_t passed, failed, unsupported;
    void (*on_line)(void *context, const char *line); /* one line, without its end, for what failed or is unsupported */
    /* After each part: "processors/ViTImageProcessor", with what was counted in it; null: not told. */
    void (*on_part)(void *context, const char *part, int64_t passed, int64_t failed, int64_t unsupported,
                    double seconds);
    const char *only; /* parts with this text in their name; null: all */
    void *context;
    char part[200];      /* the one under way; "" between them */
    int64_t at_start[3]; /* passed, failed and unsupported when it began */
    double started_s;
} am_recorded;

/* Counts a case and says why it did not pass. */
void am_recorded_failed(am_recorded *recorded, const char *format, ...) AM_PRINTF(2, 3);
void am_recorded_unsupported(am_recorded *recorded, int64_t cases, const char *format, ...) AM_PRINTF(3, 4);

/* Ends the part under way and begins the next; false: it is not wanted, and is to be left out. */
bool am_recorded_part(am_recorded *recorded, const char *format, ...) AM_PRINTF(2, 3);
void am_recorded_end_part(am_recorded *recorded);

/* Verifies any folder of the format: one that holds tokenizers/, chat_templates/, image_processors/, audio/ and
   pipelines/, or one of those, or a single tokenizer's. Fails with AM_NOT_FOUND when `path` is none of them, else only
   when files cannot be read, not for cases that fail. */
am_status am_recorded_verify(const char *path, am_recorded *recorded) AM_NODISCARD;

/* A tokenizer's folder. Two levels above it lie texts.json and pairs.json, which cases name by index. In the folder:
     tokenizer_config.json  cases.jsonl are what AutoTokenizer answers, calls.jsonl and decode.jsonl calls with
                            options; with cases_raw.jsonl put over them what tokenizer.json alone answers, with
                            cases_legacy.jsonl what the files of legacy/ answer
     tokenizer.json alone   cases.jsonl are what it answers
     normalizers.jsonl ...  single components
   Fails with AM_NOT_FOUND and AM_INVALID_FILE when the folder holds no such files. */
am_status am_recorded_tokenizer(const char *folder, am_recorded *recorded) AM_NODISCARD;

/* NAME.model, and in NAME.jsonl what the sentencepiece library answers to texts of ../texts.json: ids, pieces, the
   normalized and the decoded text. Parts are "sentencepiece/NAME". Fails with AM_NOT_FOUND and AM_INVALID_FILE when the
   folder holds no such files. */
am_status am_recorded_sentencepiece(const char *folder, am_recorded *recorded) AM_NODISCARD;

/* templates/NAME.jinja, cases/NAME.json (what apply_chat_template answers, or raises: class and message), and
   messages.json (sets of messages by name, tools, special tokens, the time for strftime_now). Fails with AM_NOT_FOUND
   and AM_INVALID_FILE when the folder holds no such files. */
am_status am_recorded_chat_templates(const char *folder, am_recorded *recorded) AM_NODISCARD;

/* images/, decoded.json + decoded.bin, resize.json + resize.bin, processors/CLASS.json, modes.jsonl,
   post_processing.json, boxes.json and videos/. What is not there is left out. PNG pixels and resized bytes must be
   equal; JPEG pixels too, or for at most 0.2 % one level off; floats must be within 2e-5, where bytes are resized up to
   0.2 % of them one level off, their mean and root mean square within 1e-5 relative. */
am_status am_recorded_images(const char *folder, am_recorded *recorded) AM_NODISCARD;

/* files/, loading.json, functions.json, extractors/CLASS.json. Samples must be within 2e-6 (1e-4 when resampled),
   filter banks and the like within 1e-6 relative, features within 2e-4 absolute or 1e-4 relative. */
am_status am_recorded_sounds(const char *folder, am_recorded *recorded) AM_NODISCARD;

/* NAME.jsonl, a case a line: "task", what a model said, "output" of the pipeline; "tokenizer" is a folder of
   ../tokenizers. Texts must be equal, numbers within 1e-6 or 1e-5 relative. */
am_status am_recorded_pipelines(const char *folder, am_recorded *recorded) AM_NODISCARD;

#endif
