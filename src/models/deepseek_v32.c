/* DeepSeek-V3.2: DeepSeek-V3 whose queries attend the index_topk keys that a small indexer scores best: a weighted sum
   over its heads of relu(q k). transformers: models/deepseek_v32/modeling_deepseek_v32.py */
#include "models/blocks/experts.h"
#include "models/blocks/indexer.h"
#include "models/blocks/latent_attention.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    am_decoder_options options = *layer->options;
    am_attention_options sparse = *layer->attention;
    am_latent_attention a = am_latent_attention_read(c, &options, 163840);
    am_indexer o = {.heads = am_config_size(c, "index_n_heads", 64),
                    .head_dim = am_config_size(c, "index_head_dim", 128),
                    .top_k = am_config_size(c, "index_topk", 2048)};
    am_value query = am_latent_query(b, x, &a);
    sparse.mask = am_index_keys(b, x, query, &o, layer->attention);
    return am_latent_attend(b, x, query, &a, &sparse);
}

/* mlp_layer_types, or dense below first_k_dense_replace. */
static bool is_dense(const am_config *c, int layer)
{
    const char *type = am_config_list_text(c, "mlp_layer_types", layer);
    return type ? type[0] == 'd' : layer < am_config_int(c, "first_k_dense_replace", 3);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    if (is_dense(am_model_config(b), layer->index)) return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture(b, x, layer->options->hidden_act);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention a = am_latent_attention_read(c, o, 163840);
    if (!a.q_lora_rank) am_config_fail(c, "q_lora_rank", "the indexer reads the low-rank query, found none");
    o->rotary_interleaved = true;
    o->attention = attention;
    o->mlp = mixture;
    if (am_config_has(c, "quantization_config"))
        am_config_fail(c, "quantization_config", "weights in blocks of 8 bits are not supported");
}

static const am_architecture architectures[] = {
    {"DeepseekV32Model", am_decoder_model, "feature-extraction", 0},
    {"DeepseekV32ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 129280,
                 .hidden_size = 7168,
                 .intermediate_size = 18432,
                 .num_hidden_layers = 61,
                 .num_attention_heads = 128,
                 .head_dim = 64,
                 .max_position_embeddings = 163840},
    .adapt = adapt,
};

const am_model_type am_model_deepseek_v32 = {
    .name = "deepseek_v32", .base_prefix = "model", .architectures = architectures, .family = &family};
