/* Parakeet: the encoder of blocks/parakeet.h with a head for CTC; or with one that joins each frame and each token read
   so far by an LSTM (RNN-T), and says how many frames a token lasts (TDT, arXiv 2304.06795).
   transformers: models/parakeet/modeling_parakeet.py */
#include "models/blocks/parakeet.h"

#include "models/blocks/layers.h"
#include "models/blocks/transducer.h"

static void parakeet_encoder(am_builder *b)
{
    am_parakeet_encoder_model(b, am_parakeet_encode);
}

static void for_ctc(am_builder *b)
{
    int64_t vocab = am_config_size(am_model_config(b), "vocab_size", 1025);
    am_value x = am_parakeet_states(b, am_parakeet_encode);
    am_scope(b, "ctc_head");
    am_value weight = am_weight(b, "weight", am_shape_of(vocab, am_dim(b, x, 2), 1));
    am_output(b, "logits", am_linear_with(b, x, am_squeeze(b, weight, 2), am_weight(b, "bias", am_shape_of(vocab))));
    am_end_scope(b);
}

static void for_rnnt(am_builder *b)
{
    am_output_transducer(b, am_parakeet_states(b, am_parakeet_encode), &(am_transducer){.vocab_size = 8193});
}

/* Of `durations` only how many there are is read here: 5 where none are given. */
static void for_tdt(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_json given = am_json_get(c->object, "durations");
    bool has = am_config_has(c, "durations");
    if (has && (am_json_kind_of(given) != AM_JSON_ARRAY || am_json_count(given) > 65536))
        am_config_fail(c, "durations", "expected a list of at most 65536 numbers");
    am_transducer transducer = {.vocab_size = 8193, .more_logits = has ? (int64_t)am_json_count(given) : 5};
    am_output_transducer(b, am_parakeet_states(b, am_parakeet_encode), &transducer);
}

static const am_architecture architectures[] = {
    {"ParakeetEncoder", parakeet_encoder, "feature-extraction", 0},
    /* no task: what its tokenizer makes of the tokens that repeat is not compared with anything yet */
    {"ParakeetForCTC", for_ctc, NULL, 0},
    {"ParakeetForRNNT", for_rnnt, NULL, 0},
    {"ParakeetForTDT", for_tdt, NULL, 0},
    {0},
};

const am_model_type am_model_parakeet = {.name = "parakeet_encoder parakeet_ctc parakeet_rnnt parakeet_tdt",
                                         .base_prefix = "model",
                                         .architectures = architectures};
