/* Any bytes as generation_config.json. */
#include "base/json.h"
#include "runtime/generate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_json_document *document = NULL;
    am_generation_config config = am_generation_config_default();
    am_status status = am_json_parse((const char *)data, size, "generation_config.json", &document);
    if (!status) status = am_generation_config_merge(am_json_root(document), "generation_config.json", &config);
    require(config.eos_count >= 0 && config.eos_count <= AM_STOP_TOKENS);
    require(config.suppress_count >= 0 && config.suppress_count <= AM_SUPPRESSED_TOKENS);
    require(config.begin_suppress_count >= 0 && config.begin_suppress_count <= AM_STOP_TOKENS);
    require(config.max_new_tokens <= INT32_MAX && config.top_k <= INT32_MAX);
    am_status_free(status);
    am_json_close(document);
    return 0;
}
