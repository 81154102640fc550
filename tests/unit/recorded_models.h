/* Model directories made of a recording. */
#ifndef AM_TEST_RECORDED_MODELS_H
#define AM_TEST_RECORDED_MODELS_H

#include "base/buffer.h"
#include "base/json.h"
#include "media/image.h"

#include <stdint.h>

/* A new folder with a model of pipelines.json: {"files", "tensors", "modules"}, whose weights are numbers made from
   their names, and the files of a case over it: "NAME" replaces a file, "+NAME" members of a JSON file. A string of
   am_test_temporary_directory. */
const char *am_test_make_model(am_json model, am_json files);

/* The same of the model of that name in tests/unit/tasks/data/pipelines.json, as it was recorded. */
const char *am_test_recorded_model(const char *name);

/* A new folder with the files of a processor that a file of tests/unit/processors/data holds, with its tokenizer and no
   model. */
const char *am_test_make_processor(am_json row);

/* The picture of these sizes that tools/record/record_processors.py gives processors. Freed with am_image_deinit. */
void am_test_draw(int64_t height, int64_t width, int64_t seed, am_image *image);

#endif
