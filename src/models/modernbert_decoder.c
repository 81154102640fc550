/* ModernBERT's decoder: its layers looking back only, with queries, keys and values projected one by one. transformers:
   models/modernbert_decoder/modeling_modernbert_decoder.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"
#include "models/blocks/heads.h"
#include "models/blocks/modernbert.h"

typedef struct decoder {
    am_modernbert_config c;
    am_attention_options attention; /* of layers that see everything */
    int64_t window;                 /* of the others; 0: none */
    am_rope whole, windowed;
} decoder;

/* sliding_window or, where there is none, half of local_attention; 0: none. */
static int64_t read_window(const am_config *config, const am_modernbert_config *c)
{
    if (am_config_has(config, "sliding_window")) return am_config_size(config, "sliding_window", 1);
    return am_config_is_null(config, "local_attention") ? 0 : c->sliding_window;
}

static decoder read_config(am_builder *b)
{
    const am_config *config = am_model_config(b);
    decoder d = {.c = am_modernbert_config_read(b)};
    bool bare = !d.c.attention_bias;
    d.window = read_window(config, &d.c);
    d.attention = (am_attention_options){.heads = d.c.num_attention_heads,
                                         .out = "Wo",
                                         .causal = am_config_flag(config, "is_causal", true),
                                         .mask = am_padding_mask(b, "attention_mask"),
                                         .no_q_bias = bare,
                                         .no_k_bias = bare,
                                         .no_v_bias = bare,
                                         .no_out_bias = bare};
    if (d.attention.causal) d.attention.mask = am_packed_mask(b, d.attention.mask, "position_ids");
    return d;
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const decoder *d = context;
    am_attention_options attention = d->attention;
    bool local = am_modernbert_is_local(b, &d->c, index);
    attention.rope = local ? &d->windowed : &d->whole;
    if (local && d->window == 0)
        am_config_fail(am_model_config(b), "local_attention", "layer %d has a window, found no size", index);
    if (local) attention.window = d->window + (attention.causal ? 0 : 1);      /* inclusive where it looks both ways */
    am_value h = index > 0 ? am_modernbert_norm(b, "attn_norm", x, &d->c) : x; /* the first has the embeddings' */
    am_scope(b, "attn");
    h = am_self_attention(b, h, &attention);
    am_end_scope(b);
    x = am_add(b, x, h);
    return am_add(b, x, am_modernbert_feed_forward(b, am_modernbert_norm(b, "mlp_norm", x, &d->c), &d->c));
}

static am_value body(am_builder *b, const char *prefix)
{
    decoder d = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embeddings.tok_embeddings", d.c.hidden_size);
    x = am_modernbert_norm(b, "embeddings.norm", x, &d.c);
    d.whole = am_modernbert_rotations(b, &d.c, false, am_dim(b, x, 1));
    d.windowed = am_modernbert_rotations(b, &d.c, true, am_dim(b, x, 1));
    x = am_causal_layers(b, "layers", d.c.num_hidden_layers, x, layer, &d);
    x = am_modernbert_norm(b, "final_norm", x, &d.c);
    am_output_hidden_state(b, "hidden_states", (int)d.c.num_hidden_layers, x);
    am_end_scope(b);
    return x;
}

static void for_causal_lm(am_builder *b)
{
    am_modernbert_config c = am_modernbert_config_read(b);
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_value x = am_modernbert_head(b, "lm_head", am_last_position_if_wanted(b, body(b, "model")));
    am_output(
        b, "logits",
        am_lm_head(b, "decoder", x, c.vocab_size, tied, "model.embeddings.tok_embeddings.weight", c.decoder_bias));
}

static void for_sequence_classification(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_value ids = am_input(b, "input_ids", 2);
    am_value x = am_last_token(b, body(b, "model"), ids, am_pad_token(c, 50283));
    int bias = am_modernbert_config_read(b).classifier_bias;
    am_output(b, "logits", am_linear(b, "classifier", am_modernbert_head(b, "head", x), am_config_labels(c), bias));
}

static const am_architecture architectures[] = {
    {"ModernBertDecoderModel", am_causal_model, "feature-extraction", 0},
    {"ModernBertDecoderForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"ModernBertDecoderForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 50368, .prefix = "model", .embedding = "model.embeddings.tok_embeddings.weight"};

const am_model_type am_model_modernbert_decoder = {
    .name = "modernbert-decoder", .base_prefix = "model", .architectures = architectures, .family = &family};
