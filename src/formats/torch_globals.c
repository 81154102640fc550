#include "formats/torch_globals.h"

#include <stdbool.h>
#include <string.h>

static const am_torch_global globals[] = {
    {"collections", "OrderedDict", AM_ROLE_DICT, 0},
    {"builtins", "dict", AM_ROLE_DICT, 0},
    {"__builtin__", "dict", AM_ROLE_DICT, 0},
    {"builtins", "set", AM_ROLE_OTHER, 0},
    {"__builtin__", "set", AM_ROLE_OTHER, 0},
    {"builtins", "frozenset", AM_ROLE_OTHER, 0},
    {"__builtin__", "frozenset", AM_ROLE_OTHER, 0},
    {"builtins", "complex", AM_ROLE_OTHER, 0},
    {"__builtin__", "complex", AM_ROLE_OTHER, 0},
    {"builtins", "bytearray", AM_ROLE_OTHER, 0},
    {"__builtin__", "bytearray", AM_ROLE_OTHER, 0},
    {"_codecs", "encode", AM_ROLE_OTHER, 0},
    {"torch", "device", AM_ROLE_OTHER, 0},
    {"torch", "Size", AM_ROLE_SIZE, 0},
    {"torch", "Tensor", AM_ROLE_TENSOR_TYPE, 0},
    {"torch.nn.parameter", "Parameter", AM_ROLE_TENSOR_TYPE, 0},
    {"torch._utils", "_rebuild_tensor", AM_ROLE_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor_v2", AM_ROLE_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor_v3", AM_ROLE_TENSOR_WITH_DTYPE, 0},
    {"torch._utils", "_rebuild_parameter", AM_ROLE_PARAMETER, 0},
    {"torch._utils", "_rebuild_parameter_with_state", AM_ROLE_PARAMETER, 0},
    {"torch._tensor", "_rebuild_from_type_v2", AM_ROLE_FROM_TYPE, 0},
    {"torch", "DoubleStorage", AM_ROLE_STORAGE, AM_F64},
    {"torch", "FloatStorage", AM_ROLE_STORAGE, AM_F32},
    {"torch", "HalfStorage", AM_ROLE_STORAGE, AM_F16},
    {"torch", "BFloat16Storage", AM_ROLE_STORAGE, AM_BF16},
    {"torch", "LongStorage", AM_ROLE_STORAGE, AM_I64},
    {"torch", "IntStorage", AM_ROLE_STORAGE, AM_I32},
    {"torch", "ShortStorage", AM_ROLE_STORAGE, AM_I16},
    {"torch", "CharStorage", AM_ROLE_STORAGE, AM_I8},
    {"torch", "ByteStorage", AM_ROLE_STORAGE, AM_U8},
    {"torch", "BoolStorage", AM_ROLE_STORAGE, AM_BOOL},
    {"torch", "UntypedStorage", AM_ROLE_STORAGE, AM_U8},
    {"torch.storage", "UntypedStorage", AM_ROLE_STORAGE, AM_U8},
    {"torch", "float64", AM_ROLE_DTYPE, AM_F64},
    {"torch", "float32", AM_ROLE_DTYPE, AM_F32},
    {"torch", "float16", AM_ROLE_DTYPE, AM_F16},
    {"torch", "bfloat16", AM_ROLE_DTYPE, AM_BF16},
    {"torch", "float8_e4m3fn", AM_ROLE_DTYPE, AM_F8_E4M3},
    {"torch", "float8_e5m2", AM_ROLE_DTYPE, AM_F8_E5M2},
    {"torch", "int64", AM_ROLE_DTYPE, AM_I64},
    {"torch", "int32", AM_ROLE_DTYPE, AM_I32},
    {"torch", "int16", AM_ROLE_DTYPE, AM_I16},
    {"torch", "int8", AM_ROLE_DTYPE, AM_I8},
    {"torch", "uint8", AM_ROLE_DTYPE, AM_U8},
    {"torch", "bool", AM_ROLE_DTYPE, AM_BOOL},
    {"torch", "ComplexFloatStorage", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "ComplexDoubleStorage", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "QInt8Storage", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "QUInt8Storage", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "QInt32Storage", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "QUInt4x2Storage", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "QUInt2x4Storage", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "complex32", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "complex64", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "complex128", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "uint16", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "uint32", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "uint64", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "float8_e4m3fnuz", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "float8_e5m2fnuz", AM_ROLE_UNSUPPORTED, 0},
    {"torch", "float8_e8m0fnu", AM_ROLE_UNSUPPORTED, 0},
    {"torch._utils", "_rebuild_sparse_tensor", AM_ROLE_UNSUPPORTED, 0},
    {"torch._utils", "_rebuild_qtensor", AM_ROLE_UNSUPPORTED, 0},
};

static bool is_named(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

const am_torch_global *am_torch_global_find(const char *module, size_t module_length, const char *name,
                                            size_t name_length)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (is_named(globals[i].module, module, module_length) && is_named(globals[i].name, name, name_length))
            return &globals[i];
    return NULL;
}
