#ifndef AM_PROCESSORS_MODELS_H
#define AM_PROCESSORS_MODELS_H

typedef struct am_processor_model {
    const char *model_type, *class_name;
} am_processor_model;

/* The processor class of each model type; ends with nulls. */
extern const am_processor_model am_processor_models[];

#endif
