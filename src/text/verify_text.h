/* Checks tokenizers against recorded answers of transformers and the tokenizers library. */
#ifndef AM_TEXT_VERIFY_TEXT_H
#define AM_TEXT_VERIFY_TEXT_H

#include "base/buffer.h"
#include "base/status.h"

#include <stddef.h>

typedef struct am_verify_text_counts {
    size_t passed, failed, unsupported;
} am_verify_text_counts;

/* Runs the recorded cases of a folder and adds to `counts`; one line per case that failed or is unsupported
   is appended to `report`. Two levels above the folder lie texts.json and pairs.json, which cases name by
   index. In the folder: tokenizer_config.json  cases.jsonl are what AutoTokenizer answers, calls.jsonl and
   decode.jsonl calls with options; with cases_raw.jsonl put over them what tokenizer.json alone answers, with
   cases_legacy.jsonl what the files of legacy/ answer tokenizer.json alone   cases.jsonl are what it answers
     normalizers.jsonl ...  single components
   Fails with AM_NOT_FOUND and AM_INVALID_FILE when the folder holds no such files. */
am_status am_verify_tokenizer_folder(const char *folder, am_verify_text_counts *counts, am_buffer *report) AM_NODISCARD;

#endif
