/* PyTorch checkpoints (pytorch_model.bin), both forms of torch.save: a zip archive (since 1.6) of a pickle
   and one member a storage, and the older sequence of pickles followed by the storages. Source:
   torch/serialization.py. */
#ifndef AM_FORMATS_TORCH_CHECKPOINT_H
#define AM_FORMATS_TORCH_CHECKPOINT_H

#include "formats/tensor_table.h"

/* Adds the tensors of a state dictionary to the table: those at the top, or when there are none those under
   "state_dict" or "model". Values that are no tensors are passed over. Data is mapped; copied, once, where it
   is compressed, not aligned or not dense. Nothing in the file is executed.
   Fails with AM_NOT_FOUND, AM_IO, AM_INVALID_FILE (neither form, truncated, damaged, refers to a global that
   is not plain data, a tensor outside of its storage, declared sizes out of all proportion to the file),
   AM_UNSUPPORTED (TorchScript, big-endian, dtypes that am_dtype lacks). The table then holds some of the
   tensors or none; it is to be released. */
am_status am_torch_checkpoint_read(const char *path, am_tensor_table *table) AM_NODISCARD;

#endif
