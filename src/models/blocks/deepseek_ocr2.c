#include "models/blocks/deepseek_ocr2.h"

#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

enum { FEW = 144, MANY = 256 }; /* queries, for images of 768 and of 1024 pixels */

am_value am_deepseek_ocr2_map(am_builder *b, const am_config *c, am_value images, const am_deepseek_ocr2_names *names,
                              const int64_t channels[2])
{
    am_convolution_attributes options = {
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    am_config sam = am_config_child(c, "sam_config");
    am_sam_encoder encoder = {.scope = names->sam, .images = images, .names = names->sam_names};
    int64_t widths[AM_STAGES_LIMIT];
    const char *key = "downsample_channels";
    if (am_config_sizes(&sam, key, widths, AM_STAGES_LIMIT, channels, 2) != 2)
        am_config_fail(&sam, key, "expected two numbers");
    if (am_builder_failed(b)) return AM_NONE;
    am_value x = am_sam_encode(b, &sam, &encoder).embeddings;
    am_scope(b, "%s", names->sam);
    for (int i = 0; i < 2; i++) x = am_conv(b, names->halves[i], x, widths[i], am_shape_of(3, 3), AM_NO_BIAS, &options);
    am_end_scope(b);
    return x;
}

am_value am_deepseek_ocr2_look(am_builder *b, const am_config *c, am_value images, const am_deepseek_ocr2_names *names,
                               am_part_outputs *out_encoder)
{
    am_config encoder = am_config_child(c, "encoder_config");
    int64_t C = am_config_size(&encoder, "hidden_size", 4096);
    am_value x = am_image_tokens(b, am_deepseek_ocr2_map(b, c, images, names, (const int64_t[]){512, 896}));
    if (am_builder_failed(b)) return AM_NONE;
    int64_t B = am_dim(b, x, 0), P = am_dim(b, x, 1), N = P <= FEW ? FEW : MANY;
    am_value queries = am_parameter(b, P <= FEW ? names->query_768 : names->query_1024, am_shape_of(N, C), x);
    x = am_concat2(b, x, am_broadcast(b, am_unsqueeze(b, queries, 0), am_shape_of(B, N, C)), 1);
    am_value place = am_iota(b, AM_I32, am_shape_of(B, P + N), 1, 0, 1);
    am_part_input inputs[] = {{.name = "inputs_embeds", .value = x},
                              {.name = "block_sequence_ids",
                               .value = am_select(b, am_binary_number(b, AM_LESS, place, (double)P),
                                                  am_scalar(b, AM_I32, 0), am_scalar(b, AM_I32, -1))}};
    am_part part = {.class_name = "Qwen2Model",
                    .config = &encoder,
                    .inputs = inputs,
                    .input_count = 2,
                    .prefix = "vision_",
                    .hidden_states = out_encoder != NULL};
    am_scope(b, "%s", names->encoder);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    if (out_encoder) *out_encoder = outputs;
    return am_slice(b, am_part_output(&outputs, "last_hidden_state"), 1, P, AM_SLICE_END);
}
