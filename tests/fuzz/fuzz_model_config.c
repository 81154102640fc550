/* Any bytes as config.json of a model whose class is known: the graph is built for small inputs, with tensors of
   the shapes it asks for and no data in them. */
#include "base/json.h"
#include "graph/builder.h"
#include "models/model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool no_weight(void *context, const char *name, am_tensor *out)
{
    (void)context;
    (void)name;
    *out = (am_tensor){0};
    return false;
}

static void build(const am_model_type *type, const am_architecture *row, am_json root)
{
    static const am_input_spec inputs[] = {
        {"input_ids", AM_I64, {.rank = 2, .dims = {1, 3}}},
        {"pixel_values", AM_F32, {.rank = 4, .dims = {1, 3, 8, 8}}},
        {"input_values", AM_F32, {.rank = 2, .dims = {1, 400}}},
        {"input_features", AM_F32, {.rank = 3, .dims = {1, 8, 20}}},
    };
    am_config_root config_root;
    am_config config;
    am_status status = am_config_init(&config_root, "config.json", root, &config);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs && !status; i++) {
        am_graph *graph = NULL;
        am_signature signature = {.inputs = &inputs[i], .input_count = 1};
        am_status failed = am_architecture_build(type, row, &config, &signature, no_weight, NULL, &graph);
        if ((failed == NULL) != (graph != NULL)) abort();
        if (am_status_code(failed) == AM_INTERNAL) abort();
        am_status_free(failed);
        am_graph_destroy(graph);
    }
    am_status_free(status);
    am_config_deinit(&config_root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_json_document *document = NULL;
    am_status status = am_json_parse((const char *)data, size, "config.json", &document);
    am_json root = status ? (am_json){0} : am_json_root(document);
    am_json_iterator first = am_json_iterate(am_json_get(root, "architectures"));
    const am_model_type *type;
    const am_architecture *row = NULL;
    if (am_json_next(&first) && am_json_kind_of(first.value) == AM_JSON_STRING)
        row = am_architecture_find(am_json_text(first.value).bytes, &type);
    if (row) build(type, row, root);
    am_json_close(document);
    am_status_free(status);
    return 0;
}
