/* Images of one size, each as many tokens as a setting says. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <string.h>

/* Where the number stands, and what is around the tokens. */
typedef struct fixed_rule {
    const char *setting;
    bool of_image_processor;
    am_wrapping wrapping;
} fixed_rule;

static am_status fixed_count(const am_processor *p, int64_t *out)
{
    const fixed_rule *rule = p->kind->details;
    if (rule->of_image_processor) return am_processor_image_integer(p, rule->setting, out);
    return am_processor_integer(p, rule->setting, out);
}

static am_status expand(const am_placeholder *p, am_buffer *out)
{
    const fixed_rule *rule = p->run->processor->kind->details;
    int64_t count;
    AM_TRY(fixed_count(p->run->processor, &count));
    am_put_wrapped(p, "image_token", count, &rule->wrapping, out);
    return NULL;
}

/* --- texts --- */

/* Chameleon: a text to be answered ends with a separator. */
static am_status end_with_separator(am_processor_call *run)
{
    if (am_processor_flag(run->processor, "return_for_text_completion", false)) return NULL;
    return am_format_texts(run, "", am_special_text(run, "sep_token"));
}

/* Janus. */
static am_status put_system_prompt(am_processor_call *run)
{
    static const char prompt[] = "You are a helpful language and vision assistant. "
                                 "You are able to understand the visual content that the user provides, "
                                 "and assist the user with a variety of tasks using natural language.\n\n";
    am_json mode = am_processor_setting(run->processor, "generation_mode");
    if (am_json_equals(mode, "image")) {
        const char *start = am_arena_printf(&run->arena, "%s", am_token_text(run, "boi_token").bytes);
        return start ? am_format_texts(run, "", start) : am_out_of_memory();
    }
    if (!am_processor_flag(run->processor, "use_default_system_prompt", false)) return NULL;
    return am_format_texts(run, prompt, "");
}

static bool holds(const am_buffer *text, am_text what)
{
    return am_count_text(text, what) > 0;
}

/* PaliGemma: images, bos_token, the prompt, a line's end; images are put where no text has any, one for each text. */
static am_status put_images_first(am_processor_call *run)
{
    am_text image = am_token_text(run, "image_token");
    const char *bos = am_special_text(run, "bos_token");
    int64_t texts = run->out->text_count, images = run->inputs->image_count;
    bool any = false;
    if (!images) return am_error(AM_INVALID_ARGUMENT, "%s needs images", run->processor->kind->name);
    for (int64_t i = 0; i < texts; i++) any = any || holds(&run->out->texts[i], image);
    if (!any && texts != images)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " images for %" PRId64 " texts without placeholders", images,
                        texts);
    for (int64_t i = 0; i < texts; i++) {
        const am_buffer *in = &run->out->texts[i];
        am_buffer text = {0};
        size_t end = 0;
        for (size_t at = 0; at + image.length <= in->length; at++)
            if (memcmp(in->bytes + at, image.bytes, image.length) == 0) end = at + image.length;
        if (!any) am_buffer_append(&text, image.bytes, image.length);
        am_buffer_append(&text, am_buffer_text(in), end);
        am_buffer_append_string(&text, bos);
        am_buffer_append(&text, am_buffer_text(in) + end, in->length - end);
        am_buffer_append_char(&text, '\n');
        am_set_text(run, i, &text);
    }
    return NULL;
}

/* ColPali, ColQwen2: a prompt for each image, or queries with what they are padded with. */
static am_status put_query(am_processor_call *run, bool with_bos)
{
    am_buffer before = {0}, after = {0};
    am_json_string prefix = am_json_text(am_processor_setting(run->processor, "query_prefix"));
    const char *pad = am_special_text(run, "pad_token");
    am_buffer_append_string(&before, with_bos ? am_special_text(run, "bos_token") : "");
    am_buffer_append(&before, prefix.bytes, prefix.length);
    for (int i = 0; i < 10; i++) am_buffer_append_string(&after, pad);
    am_buffer_append_char(&after, '\n');
    am_status status = am_buffer_status(&before);
    if (!status) status = am_buffer_status(&after);
    if (!status) status = am_format_texts(run, am_buffer_text(&before), am_buffer_text(&after));
    am_buffer_deinit(&before);
    am_buffer_deinit(&after);
    return status;
}

static am_status prepare_retrieval(am_processor_call *run, bool paligemma)
{
    int64_t images = run->inputs->image_count;
    am_json_string prompt = am_json_text(am_processor_setting(run->processor, "visual_prompt_prefix"));
    if (!images) return put_query(run, paligemma);
    if (run->out->text_count)
        return am_error(AM_INVALID_ARGUMENT, "%s takes texts or images, not both", run->processor->kind->name);
    AM_TRY(am_make_texts(run, images));
    for (int64_t i = 0; i < images; i++) {
        if (paligemma) am_put_token(run, "image_token", 1, &run->out->texts[i]);
        if (paligemma) am_buffer_append_string(&run->out->texts[i], am_special_text(run, "bos_token"));
        am_buffer_append(&run->out->texts[i], prompt.bytes, prompt.length);
        if (paligemma) am_buffer_append_char(&run->out->texts[i], '\n');
    }
    return NULL;
}

static am_status prepare_colpali(am_processor_call *run)
{
    return prepare_retrieval(run, true);
}

static am_status prepare_colqwen2(am_processor_call *run)
{
    return prepare_retrieval(run, false);
}

/* A task token of Florence-2 and the text it stands for, with a place for what is asked about. */
typedef struct task_prompt {
    const char *token, *before, *after;
    bool alone; /* nothing else may stand in the text */
} task_prompt;

static const task_prompt task_prompts[] = {
    {"<OCR>", "What is the text in the image?", "", true},
    {"<OCR_WITH_REGION>", "What is the text in the image, with regions?", "", true},
    {"<CAPTION>", "What does the image describe?", "", true},
    {"<DETAILED_CAPTION>", "Describe in detail what is shown in the image.", "", true},
    {"<MORE_DETAILED_CAPTION>", "Describe with a paragraph what is shown in the image.", "", true},
    {"<OD>", "Locate the objects with category name in the image.", "", true},
    {"<DENSE_REGION_CAPTION>", "Locate the objects in the image, with their descriptions.", "", true},
    {"<REGION_PROPOSAL>", "Locate the region proposals in the image.", "", true},
    {"<CAPTION_TO_PHRASE_GROUNDING>", "Locate the phrases in the caption: ", "", false},
    {"<REFERRING_EXPRESSION_SEGMENTATION>", "Locate ", " in the image with mask", false},
    {"<REGION_TO_SEGMENTATION>", "What is the polygon mask of region ", "", false},
    {"<OPEN_VOCABULARY_DETECTION>", "Locate ", " in the image.", false},
    {"<REGION_TO_CATEGORY>", "What is the region ", "?", false},
    {"<REGION_TO_DESCRIPTION>", "What does the region ", " describe?", false},
    {"<REGION_TO_OCR>", "What text is in the region ", "?", false},
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Appends the text without a token, and without blanks at both ends. */
static void append_without(const char *text, const char *token, am_buffer *out)
{
    am_buffer rest = {0};
    for (const char *at; (at = strstr(text, token)); text = at + strlen(token))
        am_buffer_append(&rest, text, (size_t)(at - text));
    am_buffer_append_string(&rest, text);
    const char *begin = am_buffer_text(&rest), *end = begin + rest.length;
    while (begin < end && is_blank(*begin)) begin++;
    while (begin < end && is_blank(end[-1])) end--;
    am_buffer_append(out, begin, (size_t)(end - begin));
    am_buffer_deinit(&rest);
}

static am_status construct_prompt(const char *text, am_buffer *out)
{
    for (size_t i = 0; i < sizeof task_prompts / sizeof *task_prompts; i++) {
        const task_prompt *task = &task_prompts[i];
        if (!strstr(text, task->token)) continue;
        if (task->alone && strcmp(text, task->token) != 0)
            return am_error(AM_INVALID_ARGUMENT, "%s: expected nothing else in the text", task->token);
        am_buffer_append_string(out, task->before);
        if (!task->alone) append_without(text, task->token, out);
        am_buffer_append_string(out, task->after);
        return NULL;
    }
    am_buffer_append_string(out, text);
    return NULL;
}

static am_status prepare_florence2(am_processor_call *run)
{
    const char *bos = am_special_text(run, "bos_token"), *eos = am_special_text(run, "eos_token");
    if (!run->out->text_count) AM_TRY(am_make_texts(run, run->inputs->image_count));
    for (int64_t i = 0; i < run->out->text_count; i++) {
        am_buffer text = {0};
        if (run->inputs->image_count) am_put_token(run, "image_token", 1, &text);
        if (run->inputs->image_count) am_buffer_append_string(&text, bos);
        am_status status = construct_prompt(am_buffer_text(&run->out->texts[i]), &text);
        if (run->inputs->image_count) am_buffer_append_string(&text, eos);
        am_set_text(run, i, &text);
        if (status) return status;
    }
    return NULL;
}

/* --- outputs --- */

/* PaliGemma: labels are the ids of what token_type_ids calls an answer; ColPali gives them with images only. */
static am_status give_labels(am_processor_call *run)
{
    const am_media_output *ids = am_media_tensors_find(&run->out->tensors, "input_ids"),
                          *types = am_media_tensors_find(&run->out->tensors, "token_type_ids");
    int64_t count = run->out->text_count, *lengths = am_arena_array(&run->arena, (size_t)count, sizeof *lengths);
    int64_t **rows = am_arena_array(&run->arena, (size_t)count, sizeof *rows);
    if (!ids || !types) return am_error(AM_INTERNAL, "labels without ids or their types");
    if (!lengths || !rows) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) {
        const am_tensor *x = &ids->tensors[ids->is_list ? i : 0], *t = &types->tensors[ids->is_list ? i : 0];
        lengths[i] = x->shape.dims[x->shape.rank - 1];
        int64_t first = ids->is_list ? 0 : i * lengths[i];
        rows[i] = am_arena_array(&run->arena, (size_t)lengths[i] + 1, sizeof **rows);
        if (!rows[i]) return am_out_of_memory();
        for (int64_t k = first; k < first + lengths[i]; k++)
            rows[i][k - first] = ((const int64_t *)t->data)[k] ? ((const int64_t *)x->data)[k] : -100;
    }
    return am_give_rows(run, "labels", count, lengths, rows);
}

static am_status finish_colpali(am_processor_call *run)
{
    return run->inputs->image_count ? give_labels(run) : NULL;
}

/* ColQwen2: the patches of each image as a row, those of smaller ones followed by 0. */
static am_status split_patches(am_processor_call *run)
{
    int64_t images = run->inputs->image_count, most = 0;
    const am_media_output *pixels = am_media_tensors_find(&run->out->tensors, "pixel_values");
    am_tensor *made;
    if (!images || !pixels) return NULL;
    int64_t *counts = am_arena_array(&run->arena, (size_t)images, sizeof *counts);
    if (!counts) return am_out_of_memory();
    for (int64_t i = 0; i < images; i++) {
        int64_t rows, columns;
        AM_TRY(am_media_number(&run->out->tensors, "image_grid_thw", i, 1, &rows));
        AM_TRY(am_media_number(&run->out->tensors, "image_grid_thw", i, 2, &columns));
        counts[i] = rows * columns;
        if (counts[i] > most) most = counts[i];
    }
    int64_t width = pixels->tensors[0].shape.dims[1];
    am_shape shape = am_shape_of(images, most, width);
    AM_TRY(am_media_tensors_add(&run->out->tensors, "padded", AM_F32, &shape, &made));
    const float *from = am_media_tensors_find(&run->out->tensors, "pixel_values")->tensors[0].data;
    for (int64_t i = 0; i < images; from += counts[i] * width, i++)
        memcpy((float *)made->data + i * most * width, from, (size_t)(counts[i] * width) * sizeof *from);
    am_media_drop(&run->out->tensors, "pixel_values");
    am_media_rename(&run->out->tensors, "padded", "pixel_values");
    return NULL;
}

/* --- rows of the table --- */

static const fixed_rule image_tokens = {.setting = "num_image_tokens"};
static const fixed_rule image_tokens_wrapped = {"num_image_tokens", false, {"boi_token", "eoi_token"}};
static const fixed_rule image_length_wrapped = {"image_seq_length", false, {"boi_token", "eoi_token"}};
static const fixed_rule processor_length = {"image_seq_length", true, {0}};

#define FIXED                                                                                                          \
    {                                                                                                                  \
        .placeholder = "image_token", .expand = expand                                                                 \
    }

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "DeepseekVLProcessor", .settings = AM_JSON({"num_image_tokens": 576}), .tokens = "image_token*",
     .image = FIXED, .details = &image_tokens},
    {.name = "DeepseekVLHybridProcessor", .settings = AM_JSON({"num_image_tokens": 576}), .tokens = "image_token*",
     .image = FIXED, .details = &image_tokens},
    {.name = "JanusProcessor",
     .settings = AM_JSON({"num_image_tokens": 576, "use_default_system_prompt": false, "generation_mode": "text",
                          "text_kwargs": {"padding_side": "left"}}),
     .tokens = "image_token* boi_token* eoi_token*", .image = FIXED, .prepare = put_system_prompt,
     .details = &image_tokens_wrapped},
    {.name = "ChameleonProcessor",
     .settings = AM_JSON({"image_seq_length": 1024, "image_token": "<image>", "boi_token": "<racm3:break>",
                          "eoi_token": "<eoss>", "return_for_text_completion": false}),
     .tokens = "image_token* boi_token* eoi_token*",
     .image = {.placeholder = "image_token", .marked = "image_token boi_token eoi_token", .expand = expand},
     .prepare = end_with_separator, .details = &image_length_wrapped},
    {.name = "PaliGemmaProcessor",
     .settings = AM_JSON({"image_token": "<image>",
                          "text_kwargs": {"return_token_type_ids": true, "add_special_tokens": false}}),
     .tokens = "image_token*", .image = FIXED, .prepare = put_images_first, .finish = give_labels,
     .details = &processor_length},
    {.name = "ColPaliProcessor",
     .settings = AM_JSON({"image_token": "<image>", "visual_prompt_prefix": "Describe the image.",
                          "query_prefix": "Question: ", "images_kwargs": {"do_convert_rgb": true},
                          "text_kwargs": {"padding": "longest", "return_token_type_ids": true,
                                          "add_special_tokens": false}}),
     .tokens = "image_token*", .image = FIXED, .prepare = prepare_colpali, .finish = finish_colpali,
     .details = &processor_length},
    {.name = "ColQwen2Processor",
     .settings = AM_JSON({"image_token": "<|image_pad|>",
                          "visual_prompt_prefix": "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Describe the image.<|im_end|><|endoftext|>",
                          "query_prefix": "Query: ",
                          "text_kwargs": {"padding": "longest", "return_token_type_ids": false}}),
     .tokens = "image_token*", .image = {.placeholder = "image_token", .expand = am_expand_grid},
     .prepare = prepare_colqwen2, .finish = split_patches},
    {.name = "Florence2Processor", .settings = AM_JSON({"text_kwargs": {"add_special_tokens": false}}),
     .tokens = "image_token*", .image = FIXED, .prepare = prepare_florence2, .details = &processor_length},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_fixed = {classes};
