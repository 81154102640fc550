/* JEV: scores of labels at the token before the mark of each question, of which a question has as many as it has
   options. transformers: models/jev/modeling_jev.py */
#include "models/blocks/layers.h"

#include <inttypes.h>

static const char *const types[] = {"noul", "choice", "score"};
static const int64_t first_labels[] = {0, 8, 2}; /* of absent offsets */

enum { TYPES = 3 };

/* Places of the questions' labels among the scores [questions, labels], flattened: I32 [n]. */
static am_value chosen(am_builder *b, int64_t questions, int64_t labels)
{
    am_config offsets = am_config_child(am_model_config(b), "offsets");
    int64_t most = questions * labels, count = 0;
    int32_t *places = am_arena_array(am_builder_arena(b), (size_t)most + 1, sizeof *places);
    if (!places) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < questions && !am_builder_failed(b); i++) {
        int64_t type = am_shaping_number(b, "question_type_ids", i), options = am_shaping_number(b, "num_options", i);
        if (type < 0 || type >= TYPES) {
            am_builder_fail(
                b, am_error(AM_OUT_OF_RANGE, "question_type_ids: %" PRId64 " is none of 0 .. %d", type, TYPES - 1));
            break;
        }
        int64_t start = am_config_int(&offsets, types[type], first_labels[type]);
        for (int64_t k = start < 0 ? 0 : start; k < labels && k - start < options; k++)
            places[count++] = (int32_t)(i * labels + k);
    }
    if (count == 0) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "the questions have no options"));
    return am_builder_failed(b) ? AM_NONE : am_constant_copy(b, AM_I32, am_shape_of(count), places);
}

/* Rows of x: [1, T, C] at the tokens before the marks: [questions, C]. */
static am_value at_marks(am_builder *b, am_value x)
{
    am_value before = am_add_number(b, am_index(b, am_input(b, "marks", 2), 0, 0), -1);
    am_value last = am_add_number(b, before, (double)am_dim(b, x, 1)); /* -1 is the last token */
    before = am_select(b, am_binary_number(b, AM_LESS, before, 0), last, before);
    return am_gather(b, am_index(b, x, 0, 0), before, 0, false);
}

static void for_decision(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    am_part part = {.auto_class = "AutoModel", .model_type = "qwen3_5_text", .config = &text, .prefix = ""};
    int64_t C = am_config_size(c, "hidden_size", 4096), labels = am_config_size(c, "num_verbalizers", 24);
    am_scope(b, "model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = at_marks(b, am_part_output(&outputs, "last_hidden_state"));
    int64_t questions = am_dim(b, am_input(b, "question_type_ids", 2), 1);
    if (!am_builder_failed(b) &&
        (am_dim(b, x, 0) != questions || am_dim(b, am_input(b, "num_options", 2), 1) != questions))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "marks, num_options and question_type_ids differ in number"));
    const char *name = am_has_weight(b, "proj.weight") ? "proj.weight" : "weight"; /* in a file of its own */
    am_value weight = am_weight(b, name, am_shape_of(labels, C)), bias = am_weight(b, "proj.bias", am_shape_of(labels));
    x = am_linear_with(b, x, weight, bias);
    double cap = am_config_real(c, "softcap", 0);
    if (cap != 0) x = am_soft_cap(b, x, cap);
    am_value places = chosen(b, questions, labels);
    am_output(b, "output", am_gather(b, am_flatten(b, x, 0, 1), places, 0, false));
}

static const am_architecture architectures[] = {
    {"JevForDecision", for_decision, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "num_options", .kind = AM_SHAPED_BY_NUMBERS},
                                                  {.name = "question_type_ids", .kind = AM_SHAPED_BY_NUMBERS},
                                                  {0}};

const am_model_type am_model_jev = {
    .name = "jev", .base_prefix = "model", .architectures = architectures, .shaping_inputs = shaping_inputs};
