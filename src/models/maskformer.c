/* MaskFormer: a pyramid of maps gives each pixel a vector, a decoder of DETR reads the coarsest map, and each of its
   queries says what segment it found and, by a product with the pixels, where. transformers:
   models/maskformer/modeling_maskformer.py */
#include "models/blocks/masked_queries.h"

enum { GROUPS = 32 };

static const double GROUP_NORM_EPS = 1e-5; /* not configurable */

/* The decoder is DETR's, without what surrounds it there. */
static const am_detr_family detr = {.num_queries = 100};

typedef struct maskformer_config {
    am_detr_options decoder;
    int64_t fpn_feature_size, mask_feature_size, labels;
    bool use_auxiliary_loss, output_auxiliary_logits;
} maskformer_config;

static maskformer_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config decoder = am_config_child(c, "decoder_config");
    maskformer_config r = {
        .decoder = am_detr_options_read(&decoder, &detr),
        .fpn_feature_size = am_config_size(c, "fpn_feature_size", 256),
        .mask_feature_size = am_config_size(c, am_config_either(c, "mask_feature_size", "hidden_size"), 256),
        .labels = am_config_labels(c),
        .use_auxiliary_loss = am_config_flag(c, "use_auxiliary_loss", false),
        .output_auxiliary_logits = am_config_flag(c, "output_auxiliary_logits", false),
    };
    if (am_config_has(&decoder, "model_type") && !am_config_is(&decoder, "model_type", "detr"))
        am_config_unsupported(&decoder, "model_type", "the decoder is not DETR's");
    return r;
}

/* --- pixels --- */

/* norm(conv(x)) of `kernel`, without bias. */
static am_value normed_conv(am_builder *b, am_value x, int64_t C, int64_t kernel)
{
    am_shape padding = am_shape_of(kernel / 2, kernel / 2);
    am_convolution_attributes options = {.padding_before = padding, .padding_after = padding};
    x = am_conv(b, "0", x, C, am_shape_of(kernel, kernel), AM_NO_BIAS, &options);
    return am_group_norm(b, "1", x, GROUPS, GROUP_NORM_EPS);
}

static am_value fpn_block(am_builder *b, const char *name, am_value x, int64_t C)
{
    am_scope(b, "%s", name);
    x = am_unary(b, AM_RELU, normed_conv(b, x, C, 3));
    am_end_scope(b);
    return x;
}

/* What a finer map of the backbone adds to x. */
static am_value fpn_layer(am_builder *b, am_value x, am_value left, int64_t C)
{
    am_scope(b, "proj");
    left = normed_conv(b, left, C, 1);
    am_end_scope(b);
    am_resize_attributes resize = {.size = am_shape_of(am_dim(b, left, 2), am_dim(b, left, 3)),
                                   .mode = AM_RESIZE_NEAREST};
    return fpn_block(b, "block", am_add(b, am_resize(b, x, &resize), left), C);
}

/* A Swin is that of MaskFormer, and gives all of its maps. */
static am_feature_maps backbone(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config child = am_config_child(c, "backbone_config");
    if (!am_config_has(c, "backbone_config"))
        am_config_unsupported(c, "backbone_config", "a default is not known for it");
    if (am_config_is(&child, "model_type", "swin"))
        return am_backbone_maps_as(b, "MaskFormerSwinBackbone", &child, 4, 4);
    return am_backbone_maps(b, 2, AM_STAGES_LIMIT);
}

typedef struct pixels {
    am_feature_maps found;
    am_states states; /* of the pyramid */
    am_value vectors; /* [B, mask_feature_size, H, W] */
} pixels;

static pixels read_pixels(am_builder *b, const maskformer_config *c)
{
    pixels r = {.states = am_states_make(b, AM_STAGES_LIMIT)};
    am_shape one = am_shape_of(1, 1);
    (void)am_input_optional(b, "pixel_mask", 3); /* changes nothing */
    am_scope(b, "pixel_level_module");
    am_scope(b, "encoder");
    r.found = backbone(b);
    am_end_scope(b);
    am_scope(b, "decoder");
    if (!am_builder_failed(b)) {
        int last = r.found.count - 1;
        am_scope(b, "fpn");
        am_value x = fpn_block(b, "stem", r.found.maps[last], c->fpn_feature_size);
        for (int i = 0; i < last; i++) {
            am_scope(b, "layers.%d", i);
            am_states_add(&r.states, x = fpn_layer(b, x, r.found.maps[last - 1 - i], c->fpn_feature_size));
            am_end_scope(b);
        }
        am_end_scope(b);
        r.vectors = am_conv(b, "mask_projection", x, c->mask_feature_size, am_shape_of(3, 3), AM_BIAS,
                            &(am_convolution_attributes){.padding_before = one, .padding_after = one});
    }
    am_end_scope(b);
    am_end_scope(b);
    return r;
}

/* --- queries --- */

static am_value decode(am_builder *b, const maskformer_config *c, am_value map, am_detr_decoding *d)
{
    int64_t B = am_dim(b, map, 0), C = c->decoder.d_model, Q = c->decoder.num_queries;
    am_scope(b, "transformer_module");
    if (am_dim(b, map, 1) != C)
        map = am_conv(b, "input_projection", map, C, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
    *d = (am_detr_decoding){.memory = am_image_tokens(b, map),
                            .places = am_map_places(b, map, C),
                            .queries = am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(B, Q, C)),
                            .query_places = am_repeated_rows(b, "queries_embedder.weight", B, Q, C)};
    am_value x = am_detr_decode(b, &c->decoder, d);
    am_end_scope(b);
    return x;
}

typedef struct result {
    pixels pixels;
    am_detr_decoding decoding;
    am_value x; /* [B, Q, C] */
} result;

static result run(am_builder *b, const maskformer_config *c, const char *prefix)
{
    result r = {0};
    am_scope(b, "%s", prefix);
    r.pixels = read_pixels(b, c);
    if (!am_builder_failed(b)) r.x = decode(b, c, r.pixels.found.maps[r.pixels.found.count - 1], &r.decoding);
    am_end_scope(b);
    return r;
}

/* --- classes --- */

static void output_states(am_builder *b, const result *r)
{
    const am_feature_maps *found = &r->pixels.found;
    const am_states lists[] = {{(am_value *)found->maps, found->count}, r->pixels.states, r->decoding.states};
    static const char *const names[] = {"encoder_hidden_states", "pixel_decoder_hidden_states",
                                        "transformer_decoder_hidden_states"};
    if (am_builder_failed(b)) return;
    am_output(b, "encoder_last_hidden_state", found->maps[found->count - 1]);
    am_output(b, "pixel_decoder_last_hidden_state", r->pixels.vectors);
    am_output(b, "transformer_decoder_last_hidden_state", r->x);
    int all = 0;
    for (int i = 0; i < 3; i++) am_states_output(b, names[i], &lists[i]);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < lists[i].count; j++) am_output_hidden_state(b, "hidden_states", all++, lists[i].items[j]);
}

static void maskformer_model(am_builder *b)
{
    maskformer_config c = read_config(b);
    result r = run(b, &c, "");
    output_states(b, &r);
}

/* What queries x: [B, Q, C] say. */
static void predict(am_builder *b, const maskformer_config *c, const result *r, am_value x, am_states *classes,
                    am_states *masks)
{
    am_states_add(classes, am_linear(b, "class_predictor", x, c->labels + 1, AM_BIAS));
    x = am_prediction_head(b, "mask_embedder", x, c->decoder.d_model, c->mask_feature_size, 3);
    am_states_add(masks, am_query_masks(b, x, r->pixels.vectors));
}

static void for_instance_segmentation(am_builder *b)
{
    maskformer_config c = read_config(b);
    result r = run(b, &c, "model");
    const am_states *states = &r.decoding.states;
    am_states classes = am_states_make(b, c.decoder.decoder_layers + 2);
    am_states masks = am_states_make(b, c.decoder.decoder_layers + 2);
    if (am_builder_failed(b)) return;
    if (c.use_auxiliary_loss && c.output_auxiliary_logits)
        for (int i = 0; i + 1 < states->count; i++) predict(b, &c, &r, states->items[i], &classes, &masks);
    predict(b, &c, &r, r.x, &classes, &masks);
    am_output(b, "class_queries_logits", classes.items[classes.count - 1]);
    am_output(b, "masks_queries_logits", masks.items[masks.count - 1]);
    am_output_early_masks(b, "auxiliary_logits", &classes, &masks);
    output_states(b, &r);
}

static const am_architecture architectures[] = {
    {"MaskFormerModel", maskformer_model, NULL, 0},
    {"MaskFormerForInstanceSegmentation", for_instance_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_maskformer = {
    .name = "maskformer", .base_prefix = "model", .architectures = architectures};
