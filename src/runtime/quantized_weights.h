/* Weight-only quantization: the linear nodes of a graph that was built are made to read rounded weights, which are made
   once a model, when the first graph asks for them. */
#ifndef AM_RUNTIME_QUANTIZED_WEIGHTS_H
#define AM_RUNTIME_QUANTIZED_WEIGHTS_H

#include "runtime/quantize.h"

typedef struct am_weight_options {
    am_weight_format format;
    int64_t minimum; /* weights with fewer rows or columns stay as they are; 0: AM_WEIGHT_MINIMUM */
} am_weight_options;

/* Smaller weights take no time that would be worth an error. */
enum { AM_WEIGHT_MINIMUM = 64 };

/* "auto" or null: as the files have them; "int8", "int4", "int4-asymmetric". Fails with AM_INVALID_ARGUMENT. */
am_status am_weight_format_read(const char *text, am_weight_format *out) AM_NODISCARD;

/* The rounded weights of a model. */
typedef struct am_quantized_weights am_quantized_weights;

/* Replaces *graph by one in which quantized_linear stands for each linear whose weight is a constant lent to the graph,
   of a float dtype, with at least `minimum` rows and columns and a K that the form can hold (am_quantized_group), and
   whose x is F32. Embeddings, norms, convolutions, experts and products that are no linear stay as they are. The
   weights come from *weights, which is made where it is null and grows; the pages of files that they were made from
   are given back. */
am_status am_quantized_weights_apply(am_quantized_weights **weights, const am_weight_options *options,
                                     am_graph **graph) AM_NODISCARD;

/* Frees them; graphs that read them must be gone. */
void am_quantized_weights_destroy(am_quantized_weights *weights);

/* How many weights were rounded, the bytes that they take, and the bytes of those of their sources that no graph reads
   any more. weights may be null. */
typedef struct am_quantized_summary {
    int64_t count;
    size_t bytes, replaced_bytes;
} am_quantized_summary;
am_quantized_summary am_quantized_weights_summary(const am_quantized_weights *weights);

#endif
