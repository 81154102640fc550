#include "api/example_inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_SIZE = 1 << 24, COMMON_TOKENS = 128, COMMON_PIXELS = 224, COMMON_SAMPLES = 16000, COMMON_FRAMES = 3000 };

typedef enum size_name {
    BATCH,
    LENGTH,
    DECODER_LENGTH,
    CHOICES,
    HEIGHT,
    WIDTH,
    SAMPLES,
    FRAMES,
    CHANNELS,
    MELS,
    DOCUMENTS,     /* of each text */
    ALL_DOCUMENTS, /* of the batch */
    SIZE_COUNT
} size_name;

enum { GIVEN_SIZES = CHANNELS }; /* those before it may be given; the others are the configuration's */

static const char *const size_names[GIVEN_SIZES] = {"batch",  "length", "decoder_length", "choices",
                                                    "height", "width",  "samples",        "frames"};

static const struct input_kind {
    const char *name;
    am_dtype dtype;
    int rank;
    size_name dims[4];
} kinds[] = {
    {"input_ids", AM_I32, 2, {BATCH, LENGTH}},
    {"attention_mask", AM_I32, 2, {BATCH, LENGTH}},
    {"decoder_input_ids", AM_I32, 2, {BATCH, DECODER_LENGTH}},
    {"pixel_values", AM_F32, 4, {BATCH, CHANNELS, HEIGHT, WIDTH}},
    {"input_values", AM_F32, 2, {BATCH, SAMPLES}},
    {"input_features", AM_F32, 3, {BATCH, MELS, FRAMES}},
    {"input_ids", AM_I32, 3, {BATCH, CHOICES, LENGTH}},
    {"attention_mask", AM_I32, 3, {BATCH, CHOICES, LENGTH}},
    {"context_input_ids", AM_I32, 2, {ALL_DOCUMENTS, LENGTH}},
    {"context_attention_mask", AM_I32, 2, {ALL_DOCUMENTS, LENGTH}},
    {"doc_scores", AM_F32, 2, {BATCH, DOCUMENTS}},
};

enum { IDS, MASK, DECODER_IDS, PIXELS, WAVE, FEATURES, CHOICE_IDS, CHOICE_MASK, CONTEXT_IDS, CONTEXT_MASK, DOC_SCORES };

/* In the order in which they are tried; a class takes the first that gives it all it wants and nothing it
 * does not read. */
static const struct input_set {
    int count, kinds[AM_EXAMPLE_INPUTS];
} sets[] = {
    {2, {IDS, MASK}},
    {1, {IDS}},
    {3, {IDS, MASK, DECODER_IDS}},
    {2, {IDS, DECODER_IDS}},
    {1, {PIXELS}},
    {3, {IDS, MASK, PIXELS}},
    {2, {IDS, PIXELS}},
    {1, {WAVE}},
    {1, {FEATURES}},
    {2, {FEATURES, DECODER_IDS}},
    {2, {CHOICE_IDS, CHOICE_MASK}},
    {4, {CONTEXT_IDS, CONTEXT_MASK, DOC_SCORES, DECODER_IDS}},
};

/* --- sizes --- */

/* A field of config.json or of one of its parts; MISSING where none has it. */
static am_json config_field(const am_loaded_model *model, const char *key)
{
    static const char *const parts[] = {"text_config", "vision_config", "audio_config", "encoder", "generator"};
    am_json value = am_json_get(model->config.object, key);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && am_json_kind_of(value) == AM_JSON_MISSING; i++)
        value = am_json_get(am_json_get(model->config.object, parts[i]), key);
    return value;
}

static int64_t config_size(const am_loaded_model *model, const char *key, int64_t fallback)
{
    int64_t value = am_json_int(config_field(model, key), fallback);
    return value >= 1 && value <= LARGEST_SIZE ? value : fallback;
}

/* image_size: a number, or [height, width]. */
static void read_image_size(const am_loaded_model *model, int64_t *sizes)
{
    am_json_iterator i = am_json_iterate(config_field(model, "image_size"));
    sizes[HEIGHT] = sizes[WIDTH] = config_size(model, "image_size", COMMON_PIXELS);
    if (am_json_next(&i)) sizes[HEIGHT] = sizes[WIDTH] = am_json_int(i.value, COMMON_PIXELS);
    if (am_json_next(&i)) sizes[WIDTH] = am_json_int(i.value, COMMON_PIXELS);
}

static void read_sizes(const am_loaded_model *model, int64_t most_tokens, int64_t *sizes)
{
    sizes[BATCH] = 1;
    sizes[LENGTH] = sizes[DECODER_LENGTH] = most_tokens < COMMON_TOKENS ? most_tokens : COMMON_TOKENS;
    if (most_tokens < 1) sizes[LENGTH] = sizes[DECODER_LENGTH] = 1;
    sizes[CHOICES] = 2;
    sizes[SAMPLES] = COMMON_SAMPLES;
    sizes[FRAMES] = 2 * config_size(model, "max_source_positions", COMMON_FRAMES / 2);
    sizes[CHANNELS] = config_size(model, "num_channels", 3);
    sizes[MELS] = config_size(model, "num_mel_bins", 80);
    sizes[DOCUMENTS] = config_size(model, "n_docs", 5);
    read_image_size(model, sizes);
}

static am_status set_size(const char *name, size_t length, const char *text, size_t text_length, int64_t *sizes)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (!text_length || end != text + text_length || value < 1 || value > LARGEST_SIZE)
        return am_error(AM_INVALID_ARGUMENT, "shapes: %.*s: expected a number from 1 to %d, found \"%.*s\"",
                        (int)length, name, LARGEST_SIZE, (int)text_length, text);
    bool image = length == strlen("image") && memcmp(name, "image", length) == 0, known = image;
    for (int i = 0; i < GIVEN_SIZES; i++) {
        bool named = strlen(size_names[i]) == length && memcmp(name, size_names[i], length) == 0;
        if (named || (image && (i == HEIGHT || i == WIDTH))) sizes[i] = value;
        known = known || named;
    }
    if (known) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "shapes: \"%.*s\" is no size; there are batch, length, decoder_length, choices, image, "
                    "height, width, samples, frames",
                    (int)length, name);
}

static am_status apply_shapes(const char *text, int64_t *sizes)
{
    while (text && *text) {
        size_t length = strcspn(text, ","), name = strcspn(text, "=,");
        if (name == length)
            return am_error(AM_INVALID_ARGUMENT, "shapes: expected name=number, found \"%.*s\"", (int)length, text);
        AM_TRY(set_size(text, name, text + name + 1, length - name - 1, sizes));
        text += length + (text[length] == ',');
    }
    return NULL;
}

/* --- choosing --- */

static void make_inputs(const struct input_set *set, int64_t *sizes, am_example_inputs *out)
{
    sizes[ALL_DOCUMENTS] = sizes[BATCH] * sizes[DOCUMENTS];
    *out = (am_example_inputs){.count = set->count};
    for (int i = 0; i < set->count; i++) {
        const struct input_kind *kind = &kinds[set->kinds[i]];
        int64_t dims[4];
        for (int d = 0; d < kind->rank; d++) dims[d] = sizes[kind->dims[d]];
        out->items[i] = (am_session_input){kind->name, {kind->dtype, am_shape_make(kind->rank, dims), NULL}};
    }
}

static am_status try_build(am_loaded_model *model, const am_example_inputs *inputs)
{
    am_input_spec specs[AM_EXAMPLE_INPUTS];
    am_graph *graph = NULL;
    for (int i = 0; i < inputs->count; i++)
        specs[i] = (am_input_spec){inputs->items[i].name, inputs->items[i].tensor.dtype, inputs->items[i].tensor.shape};
    am_status status =
        am_loaded_model_build(model, &(am_signature){.inputs = specs, .input_count = inputs->count}, &graph);
    am_graph_destroy(graph);
    return status;
}

am_status am_example_inputs_choose(am_loaded_model *model, const char *shapes, int64_t most_tokens,
                                   am_example_inputs *out)
{
    int64_t usual[SIZE_COUNT], sizes[SIZE_COUNT];
    am_status status = NULL;
    read_sizes(model, most_tokens, usual);
    memcpy(sizes, usual, sizeof sizes);
    AM_TRY(apply_shapes(shapes, sizes));
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        am_status_free(status);
        make_inputs(&sets[i], usual, out);
        status = try_build(model, out);
        if (am_status_code(status) == AM_INVALID_ARGUMENT) continue;
        make_inputs(&sets[i], sizes, out);
        return status;
    }
    return am_note(status, "%s takes none of the usual inputs", model->architecture->name);
}

/* --- data --- */

static void fill_ids(const am_loaded_model *model, const am_shape *shape, int32_t *ids)
{
    int64_t vocabulary = config_size(model, "vocab_size", 2),
            eos = am_json_int(config_field(model, "eos_token_id"), -1);
    int64_t count = am_shape_count(shape), T = shape->dims[shape->rank - 1];
    for (int64_t i = 0; i < count; i++) ids[i] = (int32_t)((3 + i * 7919) % vocabulary);
    if (eos < 0 || eos >= vocabulary) return;
    for (int64_t i = 0; i < count; i++)
        if (i % T == T - 1) ids[i] = (int32_t)eos;
        else if (ids[i] == eos) ids[i] = (int32_t)((eos + 1) % vocabulary);
}

static void fill_one(const am_loaded_model *model, const am_session_input *input)
{
    int64_t count = am_shape_count(&input->tensor.shape);
    if (strstr(input->name, "attention_mask"))
        for (int64_t i = 0; i < count; i++) ((int32_t *)input->tensor.data)[i] = 1;
    else if (input->tensor.dtype == AM_I32) fill_ids(model, &input->tensor.shape, input->tensor.data);
    else
        for (int64_t i = 0; i < count; i++) ((float *)input->tensor.data)[i] = (float)sin((double)i * 0.37);
}

am_status am_example_inputs_fill(const am_loaded_model *model, am_arena *arena, am_example_inputs *inputs)
{
    for (int i = 0; i < inputs->count; i++) {
        am_tensor *tensor = &inputs->items[i].tensor;
        if (!am_shape_check(&tensor->shape))
            return am_error(AM_OUT_OF_RANGE, "input %s is too large", inputs->items[i].name);
        tensor->data = am_arena_alloc(arena, am_tensor_bytes(tensor->dtype, &tensor->shape));
        if (!tensor->data) return am_out_of_memory();
        fill_one(model, &inputs->items[i]);
    }
    return NULL;
}

const am_session_input *am_example_inputs_find(const am_example_inputs *inputs, const char *name)
{
    for (int i = 0; i < inputs->count; i++)
        if (strcmp(inputs->items[i].name, name) == 0) return &inputs->items[i];
    return NULL;
}
