#include "models/blocks/pe_encoder.h"

#include "models/blocks/decoder.h"
#include "models/blocks/vision.h"

#include <stdio.h>
#include <string.h>

static const double GROUP_NORM_EPS = 1e-5, HEAD_EPS = 1e-6; /* not configurable */

am_pe_encoder am_pe_encoder_read(const am_config *c)
{
    bool unbiased = !am_config_flag(c, "attention_bias", false);
    am_pe_encoder r = {.width = am_config_size(c, "hidden_size", 1792),
                       .intermediate_size = am_config_size(c, "intermediate_size", 4800),
                       .layers = am_config_count(c, "num_hidden_layers", 6),
                       .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
                       .rms_norm_eps = am_config_real(c, "rms_norm_eps", 1e-5)};
    r.attention = (am_attention_options){.heads = am_config_size(c, "num_attention_heads", 14),
                                         .head_dim = am_config_size(c, "head_dim", 128),
                                         .out = "o_proj",
                                         .no_q_bias = unbiased,
                                         .no_k_bias = unbiased,
                                         .no_v_bias = unbiased,
                                         .no_out_bias = unbiased,
                                         .q_norm = "q_norm",
                                         .k_norm = "k_norm",
                                         .norm_eps = r.rms_norm_eps};
    r.attention.kv_heads = am_config_size(c, "num_key_value_heads", r.attention.heads);
    am_config_check_divides(c, "num_key_value_heads", r.attention.kv_heads, "num_attention_heads", r.attention.heads);
    r.rope =
        am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, r.attention.head_dim, 20000, 1, 10000);
    return r;
}

/* GroupNorm NAME of one group over the frames that mask: F32 [B, 1, T] counts, or AM_NONE: x: [B, C, T]. */
static am_value masked_norm(am_builder *b, const char *name, am_value x, am_value mask)
{
    if (!mask.id) return am_group_norm(b, name, x, 1, GROUP_NORM_EPS);
    int64_t C = am_dim(b, x, 1);
    am_shape all = am_shape_of(1, 2), each = am_shape_of(1, C, 1);
    am_value count = am_mul_number(b, am_reduce(b, AM_REDUCE_SUM, mask, all, true), (double)C);
    am_value mean = am_div(b, am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, mask), all, true), count);
    x = am_sub(b, x, mean);
    am_value square = am_mul(b, am_unary(b, AM_SQUARE, x), mask);
    am_value variance = am_div(b, am_reduce(b, AM_REDUCE_SUM, square, all, true), count);
    x = am_mul(b, x, am_unary(b, AM_RSQRT, am_add_number(b, variance, GROUP_NORM_EPS)));
    am_scope(b, "%s", name);
    am_value weight = am_reshape(b, am_parameter(b, "weight", am_shape_of(C), x), each);
    am_value bias = am_reshape(b, am_parameter(b, "bias", am_shape_of(C), x), each);
    am_end_scope(b);
    return am_mul(b, am_add(b, am_mul(b, x, weight), bias), mask);
}

/* x: [B, T, C] with what two normed convolutions below the scope make of it; mask: [B, T] or AM_NONE. */
static am_value residual_block(am_builder *b, am_value x, am_value mask)
{
    static const char *const blocks[] = {"block1", "block2"};
    int64_t C = am_dim(b, x, 2);
    am_shape padding = am_shape_of(1);
    am_convolution_attributes same = {.padding_before = padding, .padding_after = padding};
    if (mask.id) mask = am_unsqueeze(b, am_cast_like(b, mask, x), 1);
    am_value h = am_transpose(b, x, 1, 2);
    for (int i = 0; i < 2; i++) {
        am_scope(b, "%s", blocks[i]);
        h = am_unary(b, AM_SILU, masked_norm(b, "groupnorm", h, mask));
        h = am_conv(b, "project", h, C, am_shape_of(3), AM_BIAS, &same);
        am_end_scope(b);
    }
    return am_add(b, x, am_transpose(b, h, 1, 2));
}

static am_value layer(am_builder *b, am_value x, const am_attention_options *attention, const am_pe_encoder *e)
{
    am_value h = am_rms_norm(b, "input_layernorm", x, e->rms_norm_eps, 0);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, attention));
    am_end_scope(b);
    h = am_rms_norm(b, "post_attention_layernorm", x, e->rms_norm_eps, 0);
    am_scope(b, "mlp");
    x = am_add(b, x, am_gated_mlp(b, h, e->intermediate_size, e->hidden_act, AM_NO_BIAS));
    am_end_scope(b);
    return x;
}

void am_pe_encode(am_builder *b, am_value x, am_value mask, am_pe_encoder *e)
{
    am_value seen = mask.id ? am_concat2(b, am_slice(b, mask, 1, 0, 1), mask, 1) : AM_NONE;
    am_scope(b, "patch_embedder");
    x = am_prepend_token(b, "class_embedding", am_shape_of(1, 1, e->width), x);
    am_scope(b, "resnet_block");
    x = residual_block(b, x, seen);
    am_end_scope(b);
    am_end_scope(b);
    am_rope rope = am_rope_tables(b, &e->rope, am_dim(b, x, 1));
    rope.interleaved = true;
    e->attention.rope = &rope;
    e->attention.mask = am_padding_mask_of(b, seen);
    for (int i = 0; i < e->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, &e->attention, e);
        am_end_scope(b);
    }
    e->attention.rope = NULL;
    x = am_linear(b, "output", am_rms_norm(b, "norm", x, e->rms_norm_eps, 0), e->width, AM_NO_BIAS);
    am_value frames = am_slice(b, x, 1, 1, AM_SLICE_END);
    if (e->layers) am_output_hidden_state(b, "hidden_states", (int)e->layers, frames);
    am_output(b, "last_hidden_state", frames);
    am_output(b, "pooler_output", am_index(b, x, 1, 0));
}

/* --- beside a text --- */

am_value am_pe_head(am_builder *b, const char *name, am_value x, int64_t width)
{
    am_scope(b, "%s", name);
    x = am_linear(b, "proj", am_layer_norm(b, "layer_norm", x, HEAD_EPS), width, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* Of the hidden states, where they are not wanted, `last` alone, which may be null. */
static void output_all(am_builder *b, const am_part_outputs *part, const char *prefix, const char *last)
{
    for (int i = 0; i < part->count; i++) {
        const char *name = part->outputs[i].name;
        char *whole = am_arena_array(am_builder_arena(b), strlen(prefix) + strlen(name) + 1, 1);
        bool is_state = strncmp(name, "hidden_states.", 14) == 0;
        if (!whole) am_builder_fail(b, am_out_of_memory());
        if (!whole || (is_state && !am_wants_hidden_states(b) && (!last || strcmp(name, last) != 0))) continue;
        strcpy(whole, prefix);
        strcat(whole, name);
        am_output(b, whole, part->outputs[i].value);
    }
}

void am_pe_output_all(am_builder *b, const am_part_outputs *part, const char *prefix)
{
    output_all(b, part, prefix, NULL);
}

void am_pe_output_text(am_builder *b, const am_part_outputs *part, const am_config *text)
{
    char last[32];
    snprintf(last, sizeof last, "hidden_states.%d", (int)am_config_count(text, "num_hidden_layers", 22));
    output_all(b, part, "text_outputs.", last);
}

/* Fields that, where absent, are others than the text model's own. */
static void check_text(const am_config *text)
{
    static const char *const fields[] = {"hidden_size", "intermediate_size", "num_attention_heads"};
    for (int i = 0; i < 3; i++)
        if (!am_config_has(text, fields[i])) am_config_fail(text, fields[i], "expected a size");
}

am_part_outputs am_pe_text(am_builder *b, const am_config *text)
{
    am_part_input inputs[] = {{.name = "input_ids", .whole = "input_ids"},
                              {.name = "attention_mask", .whole = "attention_mask"}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "modernbert",
                    .config = text,
                    .inputs = inputs,
                    .input_count = 2,
                    .hidden_states = true};
    check_text(text);
    am_scope(b, "text_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

am_value am_pe_logits(am_builder *b, am_value x, am_value others, const char *name)
{
    char scale[64], bias[64];
    snprintf(scale, sizeof scale, "%s_logit_scale", name);
    snprintf(bias, sizeof bias, "%s_logit_bias", name);
    am_value y = am_linear_with(b, x, others, AM_NONE);
    if (am_rank(b, x) == 3) y = am_transpose(b, y, 1, 2);
    y = am_mul(b, y, am_parameter(b, scale, am_shape_of(1), y));
    return am_add(b, y, am_parameter(b, bias, am_shape_of(1), y));
}

static am_part_outputs encoded(am_builder *b, const am_pe_beside *p, const am_config *config)
{
    am_part_input inputs[] = {{.name = p->inputs[0], .whole = p->inputs[0]},
                              {.name = p->inputs[1], .whole = p->inputs[1]}};
    am_part part = {.class_name = p->class_name, .config = config, .inputs = inputs, .input_count = 2};
    am_scope(b, "%s_encoder", p->name);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

/* What a name is made to. */
typedef struct named {
    char text[64];
} named;

static named name_in(const am_pe_beside *p, const char *before, const char *after)
{
    named n;
    snprintf(n.text, sizeof n.text, "%s%s%s", before, p->name, after);
    return n;
}

void am_pe_beside_text(am_builder *b, const am_pe_beside *p)
{
    const am_config *c = am_model_config(b);
    am_config text_config = am_config_child(c, "text_config"),
              config = am_config_child(c, name_in(p, "", "_config").text);
    int64_t width = am_config_size(&text_config, "hidden_size", 1024);
    am_part_outputs other = encoded(b, p, &config), text = am_pe_text(b, &text_config);
    am_value others = am_pe_head(b, name_in(p, "", "_head").text, am_part_output(&other, p->read), width);
    am_value words = am_index(b, am_part_output(&text, "last_hidden_state"), 1, 0);
    words = am_pe_head(b, name_in(p, "text_", "_head").text, words, width);
    am_output(b, name_in(p, "logits_", "_text").text, am_pe_logits(b, others, words, name_in(p, "text_", "").text));
    am_output(b, name_in(p, "text_", "_embeds").text, words);
    am_output(b, name_in(p, "", "_embeds").text, others);
    am_pe_output_text(b, &text, &text_config);
    am_pe_output_all(b, &other, name_in(p, "", "_outputs.").text);
}
