/* ShieldGemma 2: how likely Gemma 3 says "Yes" or "No" to whether an image breaks a rule that its prompt states.
   transformers: models/shieldgemma2/modeling_shieldgemma2.py */
#include "models/model.h"

static void for_image_classification(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t tokens[] = {am_config_int(c, "yes_token_index", 10784), am_config_int(c, "no_token_index", 3771)};
    am_part part = {.class_name = "Gemma3ForConditionalGeneration", .config = c, .prefix = ""};
    am_scope(b, "model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value logits = am_index(b, am_part_output(&outputs, "logits"), 1, -1), chosen[2];
    for (int i = 0; i < 2; i++) {
        if (tokens[i] < 0 || tokens[i] >= am_dim(b, logits, -1)) {
            am_config_fail(c, i ? "no_token_index" : "yes_token_index", "%lld is no token", (long long)tokens[i]);
            return;
        }
        chosen[i] = am_slice(b, logits, -1, tokens[i], tokens[i] + 1);
    }
    logits = am_concat2(b, chosen[0], chosen[1], -1);
    am_output(b, "logits", logits);
    am_output(b, "probabilities", am_softmax(b, logits, -1));
}

static const am_architecture architectures[] = {
    {"ShieldGemma2ForImageClassification", for_image_classification, NULL, 0},
    {0},
};

const am_model_type am_model_shieldgemma2 = {
    .name = "shieldgemma2", .base_prefix = "model", .architectures = architectures};
