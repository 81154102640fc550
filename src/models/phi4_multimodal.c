/* Phi-4 multimodal: Phi-3's decoder, among whose words stand pictures of any size, in tiles behind a small picture of
   the whole, and sounds. transformers: models/phi4_multimodal/modeling_phi4_multimodal.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/heads.h"
#include "models/blocks/phi3.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <stdio.h>

enum { IMAGE_TOKEN = 200010, AUDIO_TOKEN = 200011 };

/* --- pictures --- */

/* Where a picture's patches lie: tiles, and what belongs to the picture of them, pooled. */
typedef struct picture {
    int64_t down, across;  /* tiles */
    int64_t height, width; /* rows and columns of pooled patches */
} picture;

/* The states of the layer feature_layer of the tower, pooled by twos: [B * N, side, side, V]. */
static am_value pooled_states(am_builder *b, const am_config *vision, am_value pixels, am_value attended)
{
    am_part_input inputs[] = {{.name = "pixel_values", .value = pixels},
                              {.name = "patch_attention_mask", .value = attended}};
    am_part part = {.class_name = "Phi4MultimodalVisionModel",
                    .config = vision,
                    .inputs = inputs,
                    .input_count = 2,
                    .hidden_states = true};
    int64_t layers = am_config_count(vision, "num_hidden_layers", 27), at = am_config_int(vision, "feature_layer", -2);
    am_image_options image = am_image_options_read(vision, 448, 14);
    char name[64];
    if (at < -layers - 1 || at > layers)
        am_config_fail(vision, "feature_layer", "no layer %" PRId64 " among %" PRId64 " hidden states", at, layers + 1);
    am_scope(b, "img_processor");
    am_part_outputs tower = am_build_part(b, &part);
    am_end_scope(b);
    snprintf(name, sizeof name, "hidden_states.%" PRId64, at < 0 ? layers + 1 + at : at);
    am_value x = am_part_output(&tower, name);
    int64_t side = am_square_side(b, am_dim(b, x, 1));
    if (am_builder_failed(b)) return AM_NONE;
    x = am_tokens_image(b, x, side, side);
    if (image.image_size[0] / image.patch_size[0] % 2)
        x = am_pad(b, x,
                   &(am_pad_attributes){
                       .before = {.rank = 4}, .after = {.rank = 4, .dims = {0, 0, 1, 1}}, .mode = AM_PAD_REFLECT});
    x = am_pool(b, x, &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .kernel = am_shape_of(2, 2)});
    return am_permute(b, x, am_shape_of(0, 2, 3, 1));
}

/* Picture i of N tiles, the one of the whole among them, whose masks have `rows` rows, of which every other counts. */
static picture read_picture(am_builder *b, int64_t i, int64_t N, int64_t rows, int64_t crop)
{
    int64_t height = am_shaping_number(b, "image_sizes", 2 * i), width = am_shaping_number(b, "image_sizes", 2 * i + 1);
    picture p = {.down = height / crop, .across = width / crop};
    if (p.down < 1 || p.across < 1 || p.down >= N || p.across >= N || p.down * p.across >= N) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "image_sizes: a picture of %" PRId64 " x %" PRId64 " has tiles of %" PRId64
                                    " pixels, and there are %" PRId64 " beside that of the whole",
                                    height, width, crop, N - 1));
        return (picture){1, 1, 1, 1};
    }
    for (int64_t tile = 0; tile < p.down; tile++)
        for (int64_t y = 0; y < rows; y += 2)
            p.height += am_shaping_number(b, "image_attention_mask", (i * N + 1 + tile * p.across) * rows + y) > 0;
    for (int64_t tile = 0; tile < p.across; tile++)
        p.width += (am_shaping_number(b, "image_attention_mask", (i * N + 1 + tile) * rows) + 1) / 2;
    if (p.height < 1 || p.width < 1)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "image_attention_mask: nothing of picture %" PRId64, i));
    return p;
}

/* x: [height, width, V], with a mark behind every row: [height * (width + 1), V]. */
static am_value lines(am_builder *b, am_value x, am_value mark)
{
    int64_t height = am_dim(b, x, 0), V = am_dim(b, x, 2);
    if (am_builder_failed(b)) return AM_NONE;
    mark = am_broadcast(b, am_reshape(b, mark, am_shape_of(1, 1, V)), am_shape_of(height, 1, V));
    return am_flatten(b, am_concat2(b, x, mark, 1), 0, 1);
}

/* Rows of one picture: x: [N, side, side, V] -> [rows, V]: its tiles, a mark, and the whole. */
static am_value picture_rows(am_builder *b, am_value x, const picture *p)
{
    int64_t side = am_dim(b, x, 1), V = am_dim(b, x, 3);
    am_value mark = am_parameter(b, "sub_img_feature_extensor", am_shape_of(1, 1, 1, V), x),
             between = am_parameter(b, "global_img_feature_extensor", am_shape_of(1, 1, V), x);
    am_shape grid = {.rank = 5, .dims = {p->down, p->across, side, side, V}};
    am_value tiles = am_reshape(b, am_slice(b, x, 0, 1, 1 + p->down * p->across), grid);
    tiles = am_reshape(b, am_transpose(b, tiles, 1, 2), am_shape_of(p->down * side, p->across * side, V));
    tiles = am_slice(b, am_slice(b, tiles, 0, 0, p->height), 1, 0, p->width);
    am_value parts[] = {lines(b, tiles, mark), am_reshape(b, between, am_shape_of(1, V)),
                        lines(b, am_index(b, x, 0, 0), mark)};
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, 3, 0);
}

/* Rows for the text of all pictures, one behind the other: [rows, C]. */
static am_value image_rows(am_builder *b, int64_t C)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_value pixels = am_input(b, "image_pixel_values", 5), attended = am_input(b, "image_attention_mask", 4),
             sizes = am_input(b, "image_sizes", 2);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t B = am_dim(b, pixels, 0), N = am_dim(b, pixels, 1), rows = am_dim(b, attended, 2),
            crop = am_config_size(&vision, "crop_size", 448);
    if (am_dim(b, sizes, 0) != B || am_dim(b, sizes, 1) != 2 || am_dim(b, attended, 0) != B ||
        am_dim(b, attended, 1) != N) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "image_sizes and image_attention_mask must be of the %" PRId64 " x %" PRId64
                                    " tiles of image_pixel_values",
                                    B, N));
        return AM_NONE;
    }
    am_scope(b, "image_embed");
    attended = am_binary_number(b, AM_NOT_EQUAL, am_flatten(b, attended, 0, 1), 0);
    am_value x = pooled_states(b, &vision, am_flatten(b, pixels, 0, 1), attended);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t side = am_dim(b, x, 1);
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)B, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    if (parts && (rows + 1) / 2 != side)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "image_attention_mask has %" PRId64 " rows of patches, expected %" PRId64, rows,
                                    2 * side));
    for (int64_t i = 0; i < B && !am_builder_failed(b); i++) {
        picture p = read_picture(b, i, N, rows, crop);
        parts[i] = picture_rows(b, am_slice(b, x, 0, i * N, (i + 1) * N), &p);
    }
    if (am_builder_failed(b)) return AM_NONE;
    x = am_linear_activation(b, "img_projection_up", am_concat(b, parts, (int)B, 0), C, AM_BIAS, AM_GELU);
    x = am_linear(b, "img_projection_down", x, C, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* --- sounds --- */

/* Rows for the text of all sounds, one behind the other: [rows, C]; beside pictures they are projected by weights of
   their own. */
static am_value audio_rows(am_builder *b, int64_t C)
{
    am_config audio = am_config_child(am_model_config(b), "audio_config");
    am_value sounds = am_input(b, "audio_input_features", 3), sizes = am_input(b, "audio_embed_sizes", 1);
    am_part_input inputs[] = {{.name = "hidden_states", .value = sounds},
                              {.name = "mask", .value = am_input_optional(b, "audio_attention_mask", 2)}};
    am_part part = {.class_name = "Phi4MultimodalAudioModel", .config = &audio, .inputs = inputs, .input_count = 2};
    bool beside_pictures = am_has_input(b, "image_pixel_values");
    if (am_builder_failed(b)) return AM_NONE;
    int64_t B = am_dim(b, sounds, 0), *lengths = am_arena_array(am_builder_arena(b), (size_t)B + 1, sizeof *lengths);
    if (!lengths) am_builder_fail(b, am_out_of_memory());
    else if (am_dim(b, sizes, 0) != B)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "audio_embed_sizes has %" PRId64 " numbers for %" PRId64 " sounds",
                                    am_dim(b, sizes, 0), B));
    for (int64_t i = 0; i < B && lengths; i++) lengths[i] = am_shaping_number(b, "audio_embed_sizes", i);
    am_scope(b, "audio_embed");
    am_scope(b, "encoder");
    am_part_outputs tower = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = am_part_output(&tower, "output");
    x = am_linear_activation(b, beside_pictures ? "up_proj_for_vision_speech" : "up_proj_for_speech", x, C, AM_BIAS,
                             AM_GELU);
    x = am_linear(b, beside_pictures ? "down_proj_for_vision_speech" : "down_proj_for_speech", x, C, AM_BIAS);
    am_end_scope(b);
    return am_audio_frames(b, x, lengths);
}

/* --- text --- */

/* What goes into the first layer, below the scope: [B, T, C]. Without its token in the text a picture or a sound is not
   looked at. */
static am_value embedded(am_builder *b, const am_decoder_options *o)
{
    static const char *const others[] = {"image_sizes", "audio_embed_sizes"};
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config"), audio = am_config_child(c, "audio_config");
    bool looks = am_input_optional(b, "image_pixel_values", 5).id && am_model_argument(b, "image_tokens", 0) > 0,
         hears = am_input_optional(b, "audio_input_features", 3).id && am_model_argument(b, "audio_tokens", 0) > 0;
    am_input_optional(b, "image_attention_mask", 4);
    am_input_optional(b, "audio_attention_mask", 2);
    for (int i = 0; i < 2; i++) am_input_optional(b, others[i], -1);
    am_value x = am_input_embeddings(b, "embed_tokens", o->vocab_size, o->hidden_size);
    if (am_has_input(b, "inputs_embeds")) return x;
    am_value ids = am_input(b, "input_ids", 2);
    am_pause_cache(b);
    am_scope(b, "embed_tokens_extend");
    am_feature_rows pictures = {.ids = ids, .token = am_config_int(&vision, "image_token_id", IMAGE_TOKEN)},
                    sounds = {.ids = ids, .token = am_config_int(&audio, "audio_token_id", AUDIO_TOKEN)};
    if (looks) pictures.rows = image_rows(b, o->hidden_size);
    if (hears) sounds.rows = audio_rows(b, o->hidden_size);
    am_end_scope(b);
    am_resume_cache(b);
    if (looks) x = am_merge_features(b, x, &pictures);
    if (hears) x = am_merge_features(b, x, &sounds);
    return x;
}

static am_value body(am_builder *b, am_decoder_options *o, const char *prefix)
{
    am_scope(b, "%s", prefix);
    o->embedded = embedded(b, o);
    am_end_scope(b);
    return am_decoder_body(b, o, prefix);
}

static void multimodal_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    am_output(b, "last_hidden_state", body(b, &o, ""));
}

static void for_causal_lm(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    am_value x = body(b, &o, "model");
    am_output(
        b, "logits",
        am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight", AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"Phi4MultimodalModel", multimodal_model, NULL, 0},
    {"Phi4MultimodalForCausalLM", for_causal_lm, "image-text-to-text", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 200064,
                 .hidden_size = 3072,
                 .intermediate_size = 8192,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .has_pad_token = true,
                 .pad_token_id = 199999},
    .adapt = am_phi3_adapt,
};

/* Whether the text has their tokens, and how many rows pictures and sounds have. */
static const am_shaping_input shaping_inputs[] = {{.name = "input_ids",
                                                   .kind = AM_SHAPED_BY_TOKEN,
                                                   .argument = "image_tokens",
                                                   .part = "vision_config",
                                                   .token = "image_token_id",
                                                   .fallback = IMAGE_TOKEN},
                                                  {.name = "input_ids",
                                                   .kind = AM_SHAPED_BY_TOKEN,
                                                   .argument = "audio_tokens",
                                                   .part = "audio_config",
                                                   .token = "audio_token_id",
                                                   .fallback = AUDIO_TOKEN},
                                                  {.name = "image_attention_mask", .kind = AM_SHAPED_BY_STARTS},
                                                  {.name = "image_sizes"},
                                                  {.name = "audio_embed_sizes"},
                                                  {0}};

const am_model_type am_model_phi4_multimodal = {.name = "phi4_multimodal",
                                                .base_prefix = "model",
                                                .architectures = architectures,
                                                .family = &family,
                                                .shaping_inputs = shaping_inputs,
                                                .reads_again_beyond = am_phi3_reads_again_beyond};
