/* Granite 4 Vision: LLaVA-NeXT's tiles, of which Q-Formers make rows for windows of patches, several times: of some
   layers of the tower, and of every fourth patch of one; each of these is added before a layer of a Granite.
   transformers: models/granite4_vision/modeling_granite4_vision.py */
#include "models/blocks/blip.h"
#include "models/blocks/heads.h"
#include "models/blocks/llava.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS_LIMIT = 64, SPATIAL = 4, HEAD = 64, IMAGES_LIMIT = 1024 };
static const double NORM_EPS = 1e-6; /* not configurable */

static const int64_t pinpoints[][2] = {{336, 672}, {672, 336}, {672, 672}, {1008, 336}, {336, 1008}};

static const am_llava_defaults defaults = {.tower_type = "clip_vision_model",
                                           .feature_layer = -2,
                                           .select_strategy = "default",
                                           .pinpoints = pinpoints,
                                           .pinpoint_count = sizeof pinpoints / sizeof *pinpoints};

/* What a projector is told; layers of the tower and of the text that each kind of rows is for. */
typedef struct plan {
    int64_t side, query, window; /* of a tile in patches; of what a window of that many becomes */
    int from[KINDS_LIMIT], to[KINDS_LIMIT], count, layerwise;
} plan;

/* "4/8" */
static void read_rate(const am_config *c, plan *p)
{
    const char *text = am_config_text(c, "downsample_rate", "");
    char *end;
    p->query = strtoll(text, &end, 10);
    p->window = *end == '/' ? strtoll(end + 1, &end, 10) : 0;
    if (*end || p->query < 1 || p->window < 1 || p->query > p->side || p->window > p->side ||
        p->side % p->window != 0) {
        am_config_fail(c, "downsample_rate", "expected \"Q/W\", W dividing %" PRId64 " patches, found \"%s\"", p->side,
                       text);
        p->query = p->window = 1;
    }
}

static void add_kind(const am_config *c, plan *p, const char *key, int64_t from, int64_t to)
{
    if (p->count == KINDS_LIMIT || from < INT16_MIN || from > INT16_MAX || to < 0 || to > INT16_MAX) {
        am_config_fail(c, key, "more than %d pairs of layers, or such that are none", KINDS_LIMIT);
        return;
    }
    p->from[p->count] = (int)from;
    p->to[p->count++] = (int)to;
}

static plan read_plan(const am_config *c)
{
    static const int64_t fallback[SPATIAL] = {12, 15, 18, 21};
    int64_t targets[SPATIAL + 1];
    am_config vision = am_config_child(c, "vision_config");
    am_image_options image = am_image_options_read(&vision, 224, 32);
    plan p = {.side = image.image_size[0] / image.patch_size[0]};
    if (p.side > INT16_MAX) am_config_fail(&vision, "image_size", "more than %d patches a side", INT16_MAX);
    read_rate(c, &p);
    am_json map = am_json_get(c->object, "deepstack_layer_map");
    if (am_json_kind_of(map) != AM_JSON_ARRAY) am_config_fail(c, "deepstack_layer_map", "expected pairs of layers");
    for (am_json_iterator i = am_json_iterate(map); am_json_next(&i);) {
        int64_t pair[2] = {0, -1};
        int at = 0;
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k); at++)
            if (at < 2) pair[at] = am_json_int(k.value, -1);
        add_kind(c, &p, "deepstack_layer_map", pair[0], at == 2 ? pair[1] : -1);
    }
    p.layerwise = p.count;
    int count = am_config_sizes(c, "spatial_target_layers", targets, SPATIAL + 1, fallback, SPATIAL);
    if (count > SPATIAL) am_config_fail(c, "spatial_target_layers", "more than %d layers", SPATIAL);
    for (int i = 0; i < count && i < SPATIAL; i++)
        add_kind(c, &p, "spatial_target_layers", am_config_int(c, "spatial_vision_layer", -1), targets[i]);
    if (p.count == 0) am_config_fail(c, "deepstack_layer_map", "names no layers, nor does spatial_target_layers");
    return p;
}

/* --- the projector --- */

/* x: [N, side * side, C] -> [N * (side / window)^2, window * window, C] */
static am_value windows(am_builder *b, am_value x, int64_t side, int64_t window)
{
    int64_t n = side / window, C = am_dim(b, x, -1);
    if (am_builder_failed(b)) return AM_NONE;
    x = am_reshape(b, x, (am_shape){.rank = 6, .dims = {-1, n, window, n, window, C}});
    x = am_permute(b, x, (am_shape){.rank = 6, .dims = {0, 1, 3, 2, 4, 5}});
    return am_reshape(b, x, am_shape_of(-1, window * window, C));
}

static am_value unwindowed(am_builder *b, am_value x, int64_t n, int64_t window)
{
    int64_t C = am_dim(b, x, -1), side = n * window;
    if (am_builder_failed(b)) return AM_NONE;
    x = am_reshape(b, x, (am_shape){.rank = 6, .dims = {-1, n, n, window, window, C}});
    x = am_permute(b, x, (am_shape){.rank = 6, .dims = {0, 1, 3, 2, 4, 5}});
    return am_reshape(b, x, am_shape_of(-1, side * side, C));
}

/* Patch `offset` of each square of four, or, without one, means: x: [N, side * side, C] -> [N, smaller^2, C]. */
static am_value fewer(am_builder *b, am_value x, const plan *p, int offset)
{
    int64_t C = am_dim(b, x, -1), smaller = p->side * p->query / p->window, half = p->side / 2;
    if (am_builder_failed(b)) return AM_NONE;
    if (offset < 0) {
        x = am_tokens_image(b, x, p->side, p->side);
        x = am_resize(b, x, &(am_resize_attributes){.size = am_shape_of(smaller, smaller), .mode = AM_RESIZE_AREA});
        return am_image_tokens(b, x);
    }
    x = am_reshape(b, x, (am_shape){.rank = 6, .dims = {-1, half, 2, half, 2, C}});
    x = am_index(b, am_index(b, x, 4, offset % 2), 2, offset / 2);
    return am_reshape(b, x, am_shape_of(-1, half * half, C));
}

/* What the Q-Former makes of queries x and windows of the image: the same shape as x. */
static am_value ask(am_builder *b, am_value x, am_value image)
{
    am_config c = am_config_child(am_model_config(b), "qformer_config");
    am_qformer q = {.config = &c, .queries = am_dim(b, x, 1), .image = image, .hidden_states = ""};
    am_scope(b, "qformer");
    x = am_layer_norm(b, "layernorm", x, am_config_real(&c, "layer_norm_eps", 1e-12));
    x = am_qformer_layers(b, x, &q).last_hidden_state;
    am_end_scope(b);
    return x;
}

/* Patches x: [N, side * side, C'] -> [N, n, width of the words]. */
static am_value project(am_builder *b, am_value x, const plan *p, int offset)
{
    int64_t C = am_dim(b, x, -1), n = p->side / p->window, asked = p->query * p->query;
    if (am_dim(b, x, 1) != p->side * p->side && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "a tile has %" PRId64 " patches, expected %" PRId64,
                                    am_dim(b, x, 1), p->side * p->side));
    if (offset >= 0 && (p->side % 2 != 0 || n * p->query != p->side / 2))
        am_config_fail(am_model_config(b), "downsample_rate", "is no half, as spatial_target_layers ask for");
    if (am_builder_failed(b) || (offset >= 0 && n * p->query != p->side / 2)) return AM_NONE;
    x = am_layer_norm(b, "norm", x, NORM_EPS);
    am_value image = windows(b, x, p->side, p->window);
    image = am_add(b, image, am_parameter(b, "image_positions", am_shape_of(1, p->window * p->window, C), x));
    am_value queries = windows(b, fewer(b, x, p, offset), n * p->query, p->query);
    queries = am_add(b, queries, am_parameter(b, "query", am_shape_of(1, asked, C), x));
    x = unwindowed(b, ask(b, queries, image), n, p->query);
    return am_linear(b, "out_linear", x, am_text_width(b), AM_BIAS);
}

/* --- images --- */

/* States of the tower's layer: [N, P, C]. */
static am_value states_of(am_builder *b, const am_part_outputs *tower, int layer, bool skips_first)
{
    char name[48];
    int all = 0;
    for (; snprintf(name, sizeof name, "hidden_states.%d", all), am_part_output(tower, name).id; all++) {
    }
    int at = layer < 0 ? all + layer : layer;
    if (at < 0 || at >= all) {
        if (!am_builder_failed(b))
            am_config_fail(am_model_config(b), "deepstack_layer_map", "no layer %d among %d hidden states", layer, all);
        return AM_NONE;
    }
    snprintf(name, sizeof name, "hidden_states.%d", at);
    am_value x = am_part_output(tower, name);
    return skips_first ? am_slice(b, x, 1, 1, AM_SLICE_END) : x;
}

/* Rows of all images for kind k, which are outputs, too. */
static am_value rows_of(am_builder *b, const plan *p, int k, am_value x, const am_anyres_images *images)
{
    am_value parts[IMAGES_LIMIT];
    int offset = k < p->layerwise ? -1 : k - p->layerwise, count = am_anyres_count(images);
    am_scope(b, offset < 0 ? "layerwise_projectors.%d" : "spatial_projectors.%d", offset < 0 ? k : offset);
    x = project(b, x, p, offset);
    am_end_scope(b);
    if (am_builder_failed(b) || !x.id) return AM_NONE;
    am_anyres_pack(b, images, x, p->side / p->window * p->query, parts);
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        char name[64];
        snprintf(name, sizeof name, "deepstack_features.%d.1.%d", k, i);
        am_output(b, name, parts[i]);
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, count, 0);
}

/* Part inputs of the text model: rows for each layer, of which the last kind counts; how many. */
static int see(am_builder *b, const plan *p, am_part_input *out)
{
    am_anyres_images *images;
    int count = 0, layers[KINDS_LIMIT];
    bool skips_first = am_vision_skips_first(b, defaults.select_strategy);
    am_value tiles = am_anyres_tiles(b, &defaults, &images);
    if (!images || am_builder_failed(b)) return 0;
    am_part_outputs tower = am_vision_tower(b, "vision_tower", defaults.tower_type, tiles);
    for (int k = 0; k < p->count && !am_builder_failed(b); k++) {
        am_value x = rows_of(b, p, k, states_of(b, &tower, p->from[k], skips_first), images);
        const char *name = am_arena_printf(am_builder_arena(b), "deepstack_features.%d", p->to[k]);
        int at = 0;
        while (at < count && layers[at] != p->to[k]) at++;
        if (!name) am_builder_fail(b, am_out_of_memory());
        layers[at] = p->to[k];
        out[at] = (am_part_input){.name = name, .value = x};
        if (at == count) count++;
    }
    return am_builder_failed(b) ? 0 : count;
}

/* Rows whose layer the text does not have are left away. */
static int drop_unread(const am_config *text, am_part_input *inputs, int count)
{
    int64_t layers = am_config_count(text, "num_hidden_layers", 32);
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (strtoll(inputs[i].name + sizeof "deepstack_features." - 1, NULL, 10) < layers) inputs[kept++] = inputs[i];
    return kept;
}

/* --- the text --- */

static const char *text_scope(am_builder *b)
{
    return am_has_weight(b, "model.language_model.embed_tokens.weight") ? "model" : "";
}

/* Inputs of the text model where images are given: rows, where they go, and words that count as zeros there. */
static int image_inputs(am_builder *b, const am_config *text, am_part_input *out)
{
    const am_config *c = am_model_config(b);
    plan p = read_plan(c);
    int64_t token = am_config_int(c, am_config_either(c, "image_token_index", "image_token_id"), 32000);
    am_value ids = am_input(b, "input_ids", 2);
    am_scope(b, "%s", text_scope(b));
    am_pause_cache(b);
    int count = drop_unread(text, out, see(b, &p, out));
    am_resume_cache(b);
    am_value is = am_unsqueeze(b, am_binary_number(b, AM_EQUAL, ids, (double)token), -1);
    am_value x = am_embedding(b, "language_model.embed_tokens", ids, am_config_size(text, "vocab_size", 32000),
                              am_text_width(b));
    am_end_scope(b);
    out[count++] = (am_part_input){.name = "vision_mask", .value = is};
    out[count++] = (am_part_input){.name = "input_ids", .value = AM_NONE};
    out[count++] = (am_part_input){.name = "inputs_embeds", .value = am_select(b, is, am_scalar(b, AM_F32, 0), x)};
    return count;
}

/* Final hidden states: [B, T, C]. */
static am_value body(am_builder *b)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    am_part_input inputs[KINDS_LIMIT + 3];
    am_part part = {.class_name = "Granite4VisionTextModel", .config = &text, .inputs = inputs};
    if (am_has_input(b, "pixel_values")) part.input_count = image_inputs(b, &text, inputs);
    am_scope(b, "%s", text_scope(b));
    am_scope(b, "language_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    return am_part_output(&outputs, "last_hidden_state");
}

static void model(am_builder *b)
{
    am_output(b, "last_hidden_state", body(b));
}

static void for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    am_value x = body(b);
    am_value logits = am_lm_head(b, "lm_head", x, am_config_size(&text, "vocab_size", 32000),
                                 am_config_flag(c, "tie_word_embeddings", false),
                                 "model.language_model.embed_tokens.weight", AM_NO_BIAS);
    am_output(b, "logits", am_mul_number(b, logits, 1 / am_config_real(&text, "logits_scaling", 1)));
}

static const am_vision_language_family family = {.image_token = 32000};

static const am_architecture architectures[] = {
    {"Granite4VisionModel", model, NULL, 0},
    {"Granite4VisionForConditionalGeneration", for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {0},
};

const am_model_type am_model_granite4_vision = {.name = "granite4_vision",
                                                .base_prefix = "model",
                                                .architectures = architectures,
                                                .family = &family,
                                                .shaping_inputs = am_anyres_shaping_inputs};
