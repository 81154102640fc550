/* Nemotron Omni: pictures by RADIO, squares of whose patches are one token, and sounds by Parakeet among the
   words of a Nemotron-H. transformers: models/nemotron_h_omni/modeling_nemotron_h_omni.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/radio.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <math.h>

enum { IMAGES_LIMIT = 4096, SIDE_LIMIT = 1 << 20, PARTS = 2 };

static const double NORM_EPS = 1e-5; /* not configurable */
static const char TOWER[] = "vision_model.radio_model.model";

/* linear_2(relu(linear_1(norm(x)))^2): x: [.., K] -> [.., C]; names of the three. */
static am_value project(am_builder *b, am_value x, const char *const names[3], int64_t inner, int64_t C, int bias)
{
    x = am_linear_activation(b, names[1], am_rms_norm(b, names[0], x, NORM_EPS, 0), inner, bias, AM_RELU2);
    return am_linear(b, names[2], x, C, bias);
}

/* --- pictures --- */

/* Squares of the patches' states, below no scope: states: [B, prefix + rows * columns, V] -> [B * squares, K]. */
static am_value squares(am_builder *b, const am_config *c, am_value states, const am_radio_options *r,
                        const int64_t grid[2])
{
    am_config text = am_config_child(c, am_config_either(c, "text_config", "llm_config"));
    double ratio = am_config_real(c, "downsample_ratio", 0.5);
    int64_t factor = ratio > 0 ? (int64_t)lround(1 / ratio) : 0;
    if (factor < 1 || factor > SIDE_LIMIT || fabs((double)factor * ratio - 1) > 1e-9)
        am_config_fail(c, "downsample_ratio", "expected 1 over a whole number");
    if (am_builder_failed(b)) return AM_NONE;
    am_value x = am_slice(b, states, 1, r->classes + r->registers, AM_SLICE_END);
    if (am_config_count(&text, "num_nextn_predict_layers", 0) > 0) { /* whose training normed towers, too */
        am_norm_attributes plain = {.kind = AM_NORM_LAYER, .eps = r->encoder.layer_norm_eps};
        x = am_has_weight(b, "vision_final_layernorm.weight")
                ? am_layer_norm(b, "vision_final_layernorm", x, plain.eps)
                : am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &plain);
    }
    return am_flatten(b, am_fold_patches(b, x, grid[0], grid[1], factor), 0, 1);
}

/* The grid of picture i of the input image_grid_hw; `left` patches are those of it and of later ones. */
static void read_grid(am_builder *b, int64_t i, int64_t left, int64_t out[2])
{
    for (int k = 0; k < 2; k++) out[k] = am_shaping_number(b, "image_grid_hw", 2 * i + k);
    if (out[0] > 0 && out[1] > 0 && out[0] < SIDE_LIMIT && out[1] < SIDE_LIMIT && out[0] * out[1] <= left) return;
    am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                "image_grid_hw: picture %" PRId64 " has %" PRId64 " x %" PRId64 " patches, and %" PRId64
                                " are left in pixel_values",
                                i, out[0], out[1], left));
}

/* How many pictures from i on are of one size, which is `grid` then. */
static int64_t alike(am_builder *b, int64_t i, int64_t count, int64_t left, int64_t grid[2])
{
    int64_t n = 1, other[2];
    read_grid(b, i, left, grid);
    if (am_builder_failed(b)) return 1;
    for (; i + n < count && (n + 1) * grid[0] * grid[1] <= left; n++) {
        read_grid(b, i + n, left, other);
        if (other[0] != grid[0] || other[1] != grid[1]) break;
    }
    return n;
}

/* Squares of all pictures whose patches are pixels: [P, D], in their order: [rows, K]. Neighbours of one size go
   through the tower together. */
static am_value all_squares(am_builder *b, const am_config *c, am_value pixels, int64_t count)
{
    am_config vision = am_config_child(c, "vision_config");
    am_radio_options r = am_radio_options_read(&vision);
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)count + 1, sizeof *parts);
    int64_t all = am_dim(b, pixels, 0), D = am_dim(b, pixels, 1), used = 0, n = 1, grid[2];
    int made = 0;
    r.encoder.hidden_states = "";
    if (!parts) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < count && !am_builder_failed(b); i += n) {
        n = alike(b, i, count, all - used, grid);
        if (am_builder_failed(b)) break;
        int64_t patches = grid[0] * grid[1];
        am_value x = am_slice(b, pixels, 0, used, used + n * patches);
        am_scope(b, "%s", TOWER);
        x = am_radio_states(b, &r, am_reshape(b, x, am_shape_of(n, patches, D)), grid, "patch_generator.embedder");
        am_end_scope(b);
        parts[made++] = squares(b, c, x, &r, grid);
        used += n * patches;
    }
    if (used != all && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values holds %" PRId64 " patches, and image_grid_hw tells of %" PRId64, all,
                                    used));
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, made, 0);
}

/* Rows of the text for the pictures in the inputs pixel_values: [P, numbers of a patch] and image_grid_hw: [rows, C].
 */
static am_value image_rows(am_builder *b, const am_config *c, int64_t C)
{
    static const char *const names[] = {"mlp1.0", "mlp1.1", "mlp1.3"};
    am_value pixels = am_input(b, "pixel_values", 2), sizes = am_input(b, "image_grid_hw", 2);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t count = am_dim(b, sizes, 0);
    if (count < 1 || count > IMAGES_LIMIT || am_dim(b, sizes, 1) != 2) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "image_grid_hw must have height and width of 1 to %d pictures",
                                    IMAGES_LIMIT));
        return AM_NONE;
    }
    am_value x = all_squares(b, c, pixels, count);
    return project(b, x, names, am_config_size(c, "projector_hidden_size", 4096), C, AM_NO_BIAS);
}

/* --- sounds --- */

/* Tokens of a sound with so many marked frames, as transformers counts them. */
static int64_t tokens_of(const am_config *audio, int64_t frames)
{
    int64_t kernel = am_config_size(audio, "subsampling_conv_kernel_size", 3),
            stride = am_config_size(audio, "subsampling_conv_stride", 2),
            factor = am_config_size(audio, "subsampling_factor", 8), length = frames + 1;
    for (; factor > 1; factor /= 2)
        length = (int64_t)floor((double)(length + (kernel - 1) / 2 * 2 - kernel) / (double)stride) + 1;
    return length;
}

/* Rows of the text for the input input_features: [rows, C]. */
static am_value audio_rows(am_builder *b, const am_config *c, int64_t C)
{
    static const char *const names[] = {"sound_projection.norm", "sound_projection.linear1",
                                        "sound_projection.linear2"};
    am_config audio = am_config_child(c, am_config_either(c, "audio_config", "sound_config"));
    am_value sounds = am_input(b, "input_features", 3), mask = am_input_optional(b, "input_features_mask", 2);
    am_part_input inputs[] = {{.name = "input_features", .value = sounds}, {.name = "attention_mask", .value = mask}};
    am_part part = {.class_name = "ParakeetEncoder", .config = &audio, .inputs = inputs, .input_count = 2};
    int bias = am_config_flag(&audio, "projection_bias", false) ? AM_BIAS : AM_NO_BIAS;
    int64_t inner = am_config_size(&audio, "projection_hidden_size", 1);
    if (!am_config_has(&audio, "projection_hidden_size"))
        am_config_fail(&audio, "projection_hidden_size", "is missing");
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "sound_encoder.encoder");
    am_part_outputs tower = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = project(b, am_part_output(&tower, "last_hidden_state"), names, inner, C, bias);
    if (!mask.id || am_builder_failed(b)) return am_flatten(b, x, 0, 1);
    int64_t *lengths = am_audio_lengths_of(b, "input_features_mask", "input_features"), B = am_dim(b, sounds, 0);
    for (int64_t i = 0; i < B && lengths; i++) lengths[i] = tokens_of(&audio, lengths[i]);
    return lengths ? am_audio_frames(b, x, lengths) : AM_NONE;
}

/* --- text --- */

/* A token by its field, or by what released files call it. */
static int64_t token_of(const am_config *c, const char *key, const char *old)
{
    key = am_config_either(c, key, old);
    if (!am_config_has(c, key)) am_config_fail(c, key, "is missing, which says where they stand in the text");
    return am_config_int(c, key, -1);
}

static void omni_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, am_config_either(c, "text_config", "llm_config"));
    int64_t C = am_config_size(&text, "hidden_size", 4096);
    am_feature_rows features[PARTS];
    am_part part = {.class_name = "NemotronHForCausalLM", .config = &text, .features = features};
    am_pause_cache(b);
    if (am_has_input(b, "pixel_values"))
        features[part.feature_count++] = (am_feature_rows){
            .rows = image_rows(b, c, C), .token = token_of(c, "image_token_id", "img_context_token_id")};
    if (am_has_input(b, "pixel_values_videos")) /* transformers 5.23 fails, too */
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "pixel_values_videos: films are not supported"));
    if (am_has_input(b, "input_features"))
        features[part.feature_count++] = (am_feature_rows){
            .rows = audio_rows(b, c, C), .token = token_of(c, "audio_token_id", "sound_context_token_id")};
    am_resume_cache(b);
    for (int i = 0; i < part.feature_count; i++) features[i].ids = am_input(b, "input_ids", 2);
    am_scope(b, "language_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    am_output(b, "logits", am_part_output(&outputs, "logits"));
}

static const am_architecture architectures[] = {
    {"NemotronH_Omni_Reasoning_V3", omni_model, "image-text-to-text", AM_GENERATES},
    {0},
};

static const am_shaping_input shaping_inputs[] = {
    {.name = "image_grid_hw"}, {.name = "input_features_mask", .kind = AM_SHAPED_BY_ROWS}, {0}};

const am_model_type am_model_nemotron_h_omni = {
    .name = "nemotron_h_omni", .architectures = architectures, .shaping_inputs = shaping_inputs};
