/* PP-FormulaNet's encoder by itself. transformers: models/pp_formulanet/modeling_pp_formulanet.py */
#include "models/blocks/formulanet.h"

static void vision_model(am_builder *b)
{
    am_value map, rows = am_formulanet_encode(b, am_model_config(b), "hidden_states", &map);
    am_output(b, "last_hidden_state", map);
    am_output(b, "pooler_output", rows);
}

static const am_architecture architectures[] = {
    {"PPFormulaNetVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_pp_formulanet_vision = {.name = "pp_formulanet_vision", .architectures = architectures};
