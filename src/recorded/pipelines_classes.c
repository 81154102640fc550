/* Classification of texts, images, sounds and videos, by the model's labels or by given ones. */
#include "recorded/pipelines.h"
#include "tasks/answers.h"
#include "tensor/shape.h"

#include <inttypes.h>

/* --- config.json --- */

static void append_labels(am_json labels, am_buffer *out)
{
    int64_t id = 0;
    am_buffer_append_string(out, "{\"id2label\": {");
    for (am_json_iterator i = am_json_iterate(labels); am_json_next(&i); id++) {
        am_buffer_printf(out, "%s\"%" PRId64 "\": ", id ? ", " : "", id);
        am_json_write(i.value, out);
    }
    am_buffer_append_string(out, "}, \"label2id\": {");
    id = 0;
    for (am_json_iterator i = am_json_iterate(labels); am_json_next(&i); id++) {
        am_buffer_append_string(out, id ? ", " : "");
        am_json_write(i.value, out);
        am_buffer_printf(out, ": %" PRId64, id);
    }
    am_buffer_append_char(out, '}');
}

am_status am_pipeline_case_config(am_pipeline_case *c, am_json *out)
{
    static const char *const fields[] = {"problem_type", "model_type"};
    am_buffer text = {0};
    append_labels(am_json_get(c->line, "labels"), &text);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        am_json value = am_json_get(c->line, fields[i]);
        if (am_json_kind_of(value) == AM_JSON_MISSING) continue;
        am_buffer_printf(&text, ", \"%s\": ", fields[i]);
        am_json_write(value, &text);
    }
    am_buffer_append_char(&text, '}');
    am_status status = am_buffer_status(&text);
    if (!status && !c->config) status = am_json_parse(text.bytes, text.length, "the labels", &c->config);
    am_buffer_deinit(&text);
    *out = status ? (am_json){0} : am_json_root(c->config);
    return status;
}

/* --- by the model's labels --- */

static am_status run_classes(am_pipeline_case *c, const am_classification *kind, am_buffer *out)
{
    am_tensor logits;
    am_json config;
    AM_TRY(am_pipeline_case_config(c, &config));
    AM_TRY(am_pipeline_numbers(c, am_json_get(c->line, "logits"), 2, &logits));
    return am_append_classification(config, &logits, c->kwargs, kind, out);
}

/* The recorded answers are those of postprocess, which does not put a single one into a list. */
am_status am_pipeline_text_classes(am_pipeline_case *c, am_buffer *out)
{
    am_classification kind = am_text_classes(c->kwargs, true);
    return run_classes(c, &kind, out);
}

am_status am_pipeline_image_classes(am_pipeline_case *c, am_buffer *out)
{
    return run_classes(c, &am_image_classes, out);
}

am_status am_pipeline_sound_classes(am_pipeline_case *c, am_buffer *out)
{
    return run_classes(c, &am_sound_classes, out);
}

am_status am_pipeline_video_classes(am_pipeline_case *c, am_buffer *out)
{
    return run_classes(c, &am_video_classes, out);
}

/* --- by given labels --- */

/* The logits of `dims` dimensions, and the labels that they are of. */
static am_status read_candidates(am_pipeline_case *c, am_texts *labels, am_tensor *logits)
{
    AM_TRY(am_option_texts(c->line, "candidates", false, &c->arena, labels));
    return am_pipeline_numbers(c, am_json_get(c->line, "logits"), 2, logits);
}

am_status am_pipeline_entailments(am_pipeline_case *c, am_buffer *out)
{
    am_texts labels;
    am_tensor logits;
    am_json config, text = am_json_get_path(c->line, "output.sequence");
    AM_TRY(am_pipeline_case_config(c, &config));
    AM_TRY(read_candidates(c, &labels, &logits));
    if (logits.shape.dims[0] != labels.count) return am_error(AM_INVALID_FILE, "logits: expected a row of each label");
    am_entailment *found = am_arena_array(&c->arena, (size_t)labels.count, sizeof *found);
    if (!found) return am_out_of_memory();
    for (int64_t i = 0; i < labels.count; i++)
        found[i] =
            am_entailment_of(config, (const float *)logits.data + i * logits.shape.dims[1], logits.shape.dims[1]);
    return am_append_entailments(am_json_text(text).bytes, &labels, found, c->kwargs, &c->arena, out);
}

static am_status run_labels(am_pipeline_case *c, bool apart, am_buffer *out)
{
    am_texts labels;
    am_tensor logits;
    AM_TRY(read_candidates(c, &labels, &logits));
    if (logits.shape.dims[1] != labels.count) return am_error(AM_INVALID_FILE, "logits: expected one of each label");
    return am_append_fitting_labels(logits.data, &labels, apart, &c->arena, out);
}

am_status am_pipeline_image_labels(am_pipeline_case *c, am_buffer *out)
{
    am_json config;
    AM_TRY(am_pipeline_case_config(c, &config));
    return run_labels(c, am_judges_labels_apart(config), out);
}

am_status am_pipeline_sound_labels(am_pipeline_case *c, am_buffer *out)
{
    return run_labels(c, false, out);
}
