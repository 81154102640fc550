/* The weights of a model directory in whatever files they are. */
#ifndef AM_FORMATS_CHECKPOINT_H
#define AM_FORMATS_CHECKPOINT_H

#include "formats/tensor_table.h"

/* Reads the first that is there of: model.safetensors, model.safetensors.index.json with its shards,
   pytorch_model.bin, pytorch_model.bin.index.json with its shards. Also checks that each tensor of an index
   is in the shard it names. Fails with AM_NOT_FOUND naming what was looked for, or as the readers do. The
   table is left empty on failure. */
am_status am_checkpoint_read(const char *directory, am_tensor_table *table) AM_NODISCARD;

#endif
