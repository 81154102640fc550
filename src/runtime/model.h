/* An opened model directory: configuration, mapped weights, and the class that builds its graphs. */
#ifndef AM_RUNTIME_MODEL_H
#define AM_RUNTIME_MODEL_H

#include "formats/tensor_table.h"
#include "models/model.h"
#include "runtime/quantized_weights.h"

typedef struct am_loaded_model {
    char *directory; /* path as given; null for models made from parts */
    am_json_document *config_document;
    am_config_root config_root;
    am_config config;
    am_tensor_table weights;
    bool *used;                      /* by weight: some graph asked for it */
    am_quantized_weights *quantized; /* made of them for sessions that want it; null: none */
    const am_model_type *type;
    const am_architecture *architecture;
    const char *architecture_name; /* as config.json says it; in config_root's arena */
} am_loaded_model;

/* Which class to make of a model, as far as it is not left to config.json: architectures[0] or, where that is absent,
   what AutoModel makes of its model_type. */
typedef struct am_class_choice {
    const char *architecture; /* this class; null: no wish */
    const char *auto_class;   /* the class that this auto class makes of model_type; null: no wish */
} am_class_choice;

/* Reads DIRECTORY/config.json and the headers of its weights. `choice` may be null. Fails with AM_UNSUPPORTED, naming
   the class, when it is not one of the registry. */
am_status am_loaded_model_open(const char *directory, const am_class_choice *choice,
                               am_loaded_model **out) AM_NODISCARD;

/* The same from parts: takes the configuration and the table (also when it fails). `name` stands for
   config.json in messages; `choice` may be null. */
am_status am_loaded_model_create(am_json_document *config, const char *name, am_tensor_table *weights,
                                 const am_class_choice *choice, am_loaded_model **out) AM_NODISCARD;

void am_loaded_model_close(am_loaded_model *model);

/* Builds the graph of the model's class for a signature. */
am_status am_loaded_model_build(am_loaded_model *model, const am_signature *signature, am_graph **out) AM_NODISCARD;

/* The weight of a name that a model file uses, under whatever name the checkpoint has it: with or without the
   base model's prefix, gamma/beta for weight/bias, weight_g/weight_v for parametrizations.weight.original0/1
   and the other way round. */
const am_named_tensor *am_loaded_model_find_weight(const am_loaded_model *model, const char *name);

#endif
