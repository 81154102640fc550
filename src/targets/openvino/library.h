/* OpenVINO's C interface, opened at run time. Types and functions are those of openvino/c/openvino.h of release 2026.4;
   they are declared here because building needs nothing of OpenVINO. */
#ifndef AM_TARGETS_OPENVINO_LIBRARY_H
#define AM_TARGETS_OPENVINO_LIBRARY_H

#include "targets/target.h"

typedef struct ov_core ov_core_t;
typedef struct ov_model ov_model_t;
typedef struct ov_compiled_model ov_compiled_model_t;
typedef struct ov_infer_request ov_infer_request_t;
typedef struct ov_tensor ov_tensor_t;

typedef struct ov_shape {
    int64_t rank;
    int64_t *dims;
} ov_shape_t;

typedef struct ov_available_devices {
    char **devices;
    size_t size;
} ov_available_devices_t;

typedef struct ov_version {
    const char *build_number, *description;
} ov_version_t;

typedef struct ov_property {
    const char *key;
    const void *value;
} ov_property_t;

/* ov_element_type_e of 2026.4. */
enum ov_element_type {
    OV_BOOLEAN = 1,
    OV_BF16 = 2,
    OV_F16 = 3,
    OV_F32 = 4,
    OV_F64 = 5,
    OV_I8 = 7,
    OV_I16 = 8,
    OV_I32 = 9,
    OV_I64 = 10,
    OV_U8 = 16
};

#define AM_OPENVINO_FUNCTIONS(ROW)                                                                                     \
    ROW(int, ov_get_openvino_version, (ov_version_t *))                                                                \
    ROW(void, ov_version_free, (ov_version_t *))                                                                       \
    ROW(int, ov_core_create, (ov_core_t **))                                                                           \
    ROW(void, ov_core_free, (ov_core_t *))                                                                             \
    ROW(int, ov_core_get_available_devices, (const ov_core_t *, ov_available_devices_t *))                             \
    ROW(void, ov_available_devices_free, (ov_available_devices_t *))                                                   \
    ROW(int, ov_core_get_property, (const ov_core_t *, const char *, const char *, char **))                           \
    ROW(int, ov_core_read_model_from_memory_buffer,                                                                    \
        (const ov_core_t *, const char *, size_t, const ov_tensor_t *, ov_model_t **))                                 \
    ROW(int, ov_core_compile_model_props,                                                                              \
        (const ov_core_t *, const ov_model_t *, const char *, size_t, const ov_property_t *, ov_compiled_model_t **))  \
    ROW(int, ov_core_set_property, (const ov_core_t *, const char *, ...))                                             \
    ROW(int, ov_core_import_model, (const ov_core_t *, const char *, size_t, const char *, ov_compiled_model_t **))    \
    ROW(int, ov_compiled_model_export_model, (const ov_compiled_model_t *, const char *))                              \
    ROW(int, ov_compiled_model_create_infer_request, (const ov_compiled_model_t *, ov_infer_request_t **))             \
    ROW(int, ov_infer_request_set_input_tensor_by_index, (ov_infer_request_t *, size_t, const ov_tensor_t *))          \
    ROW(int, ov_infer_request_set_output_tensor_by_index, (ov_infer_request_t *, size_t, const ov_tensor_t *))         \
    ROW(int, ov_infer_request_get_output_tensor_by_index, (const ov_infer_request_t *, size_t, ov_tensor_t **))        \
    ROW(int, ov_tensor_get_shape, (const ov_tensor_t *, ov_shape_t *))                                                 \
    ROW(int, ov_tensor_data, (const ov_tensor_t *, void **))                                                           \
    ROW(int, ov_shape_free, (ov_shape_t *))                                                                            \
    ROW(int, ov_infer_request_infer, (ov_infer_request_t *))                                                           \
    ROW(int, ov_tensor_create_from_host_ptr, (int, ov_shape_t, void *, ov_tensor_t **))                                \
    ROW(void, ov_tensor_free, (ov_tensor_t *))                                                                         \
    ROW(void, ov_infer_request_free, (ov_infer_request_t *))                                                           \
    ROW(void, ov_compiled_model_free, (ov_compiled_model_t *))                                                         \
    ROW(void, ov_model_free, (ov_model_t *))                                                                           \
    ROW(void, ov_free, (const char *))                                                                                 \
    ROW(const char *, ov_get_error_info, (int))                                                                        \
    ROW(const char *, ov_get_last_err_msg, (void))

typedef struct am_openvino {
#define ROW(result, name, arguments) result(*name) arguments;
    AM_OPENVINO_FUNCTIONS(ROW)
#undef ROW
    ov_core_t *core;
} am_openvino;

/* Looks for libopenvino_c: ANYMODEL_OPENVINO (the file or its folder), INTEL_OPENVINO_DIR, Python environments with
   the wheel, folders of libraries. Files only. */
void am_openvino_find(am_target_report *out);

/* The library with one core, opened at the first call and kept. Fails with AM_UNAVAILABLE, saying what is missing, or
   AM_UNSUPPORTED for a release that was never tried unless allow_untested. Borrowed. */
am_status am_openvino_open(bool allow_untested, const am_openvino **out) AM_NODISCARD;

/* A call that failed as AM_INTERNAL with OpenVINO's own words; null for 0. */
am_status am_openvino_check(const am_openvino *ov, int result, const char *what) AM_NODISCARD;

#endif
