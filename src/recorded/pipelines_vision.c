/* Boxes, masks and depths: "image_processor" is a class, "target_size" [height, width]; seeded outputs of the model lie
   in "outputs" by their names, or are logits and pred_boxes beside the rest. */
#include "base/memory.h"
#include "media/image_processor.h"
#include "recorded/pipelines.h"
#include "tasks/vision.h"

static am_status add_output(am_media_tensors *to, const char *name, am_json recipe)
{
    am_tensor *tensor;
    if (am_json_kind_of(recipe) != AM_JSON_OBJECT) return NULL;
    AM_TRY(am_media_tensors_add_list(to, name, 1, &tensor));
    to->items[to->count - 1].is_list = false;
    return am_note(am_verify_seeded(recipe, tensor), "%s", name);
}

static am_status read_outputs(am_json line, am_media_tensors *out)
{
    for (am_json_iterator i = am_json_iterate(am_json_get(line, "outputs")); am_json_next(&i);)
        AM_TRY(add_output(out, i.key.bytes, i.value));
    AM_TRY(add_output(out, "logits", am_json_get(line, "logits")));
    return add_output(out, "pred_boxes", am_json_get(line, "pred_boxes"));
}

/* {} of a class. */
static am_status open_processor(const char *class_name, am_image_processor **out)
{
    am_json_document *document;
    AM_TRY(am_json_parse("{}", 2, "settings", &document));
    am_status status = am_image_processor_create(am_json_root(document), class_name, out);
    am_json_close(document);
    return status;
}

static am_status answer(am_pipeline_case *c, am_status (*append)(const am_vision_outputs *outputs, am_buffer *out),
                        am_buffer *out)
{
    am_json size = am_json_get(c->line, "target_size");
    am_image_processor *processor;
    am_media_tensors tensors = {0};
    am_vision_outputs v = {
        .tensors = &tensors,
        .options = am_json_get(c->line, "kwargs"),
        .size = {am_json_int(am_verify_element(size, 0), 0), am_json_int(am_verify_element(size, 1), 0)}};
    AM_TRY(am_pipeline_case_config(c, &v.config));
    AM_TRY(open_processor(am_json_text(am_json_get(c->line, "image_processor")).bytes, &processor));
    v.processor = processor;
    am_status status = read_outputs(c->line, &tensors);
    if (!status) status = append(&v, out);
    am_media_tensors_deinit(&tensors);
    am_image_processor_close(processor);
    return status;
}

am_status am_pipeline_boxes(am_pipeline_case *c, am_buffer *out)
{
    return answer(c, am_append_detections, out);
}

am_status am_pipeline_segments(am_pipeline_case *c, am_buffer *out)
{
    return answer(c, am_append_segments, out);
}

am_status am_pipeline_depth(am_pipeline_case *c, am_buffer *out)
{
    return answer(c, am_append_depth, out);
}
