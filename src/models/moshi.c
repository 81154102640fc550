/* Moshi's text model (arXiv 2410.00037): see blocks/moshi.h. transformers: models/moshi/modeling_moshi.py */
#include "models/blocks/heads.h"
#include "models/blocks/moshi.h"

static am_decoder_options read_options(am_builder *b)
{
    return am_decoder_options_read(am_model_config(b), &am_moshi_family);
}

/* One row more than the vocabulary has. */
static am_value words(am_builder *b, const am_decoder_options *o, const char *prefix)
{
    if (am_has_input(b, "inputs_embeds")) return am_input(b, "inputs_embeds", 3);
    am_scope(b, "%s", prefix);
    am_value x = am_embedding(b, "embed_tokens", am_input(b, "input_ids", 2), o->vocab_size + 1, o->hidden_size);
    am_end_scope(b);
    return x;
}

static void moshi_model(am_builder *b)
{
    am_decoder_options o = read_options(b);
    o.embedded = words(b, &o, "");
    am_output(b, "last_hidden_state", am_decoder_body(b, &o, ""));
}

static void output_logits(am_builder *b, am_value x, const am_decoder_options *o, const char *head)
{
    x = am_last_position_if_wanted(b, x);
    am_output(b, "logits", am_linear(b, head, x, o->vocab_size, AM_NO_BIAS));
    if (!am_has_cache(b)) am_output(b, "last_hidden_state", x);
}

static void for_causal_lm(am_builder *b)
{
    am_decoder_options o = read_options(b);
    o.embedded = words(b, &o, "model");
    output_logits(b, am_decoder_body(b, &o, "model"), &o, "lm_head");
}

static const am_architecture architectures[] = {
    {"MoshiModel", moshi_model, NULL, 0},
    {"MoshiForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

const am_model_type am_model_moshi = {.name = "moshi", .base_prefix = "model", .architectures = architectures};
