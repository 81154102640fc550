/* What the tests of recorded answers share: comparing answers. */
#ifndef AM_TEST_RECORDED_H
#define AM_TEST_RECORDED_H

#include "recorded_models.h"

#include "base/buffer.h"
#include "base/json.h"

#include <anymodel/status.h>

/* Appends what was expected and found to `failures` unless the answer (JSON) is the expected one. Numbers may differ
   by 1e-6 and 1e-4 of their size; everything else is the same. */
void am_test_compare_answer(const char *answer, am_json expected, am_buffer *failures);

/* Runs the case {"task", "text", "pair", "path", "options", "answer"} in a model directory and compares. The task
   "sentence-embedding" is am_model_embed. */
void am_test_check_case(const char *directory, am_json recorded, am_buffer *failures);

#endif
