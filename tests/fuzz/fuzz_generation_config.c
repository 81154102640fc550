/* Any bytes as generation_config.json. */
#include "base/json.h"
#include "runtime/generate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

static void check_tokens(am_token_list tokens)
{
    require(tokens.count >= 0);
    for (int64_t i = 0; i < tokens.count; i++) require(tokens.ids[i] >= 0);
}

static void check_sequences(am_biased_sequences sequences, bool read)
{
    for (int64_t i = 0; i < sequences.count && read; i++) {
        check_tokens(sequences.items[i].tokens);
        require(sequences.items[i].tokens.count > 0);
    }
}

static void check_texts(am_stop_texts texts)
{
    for (int64_t i = 0; i < texts.count; i++) require(texts.items[i] && texts.items[i][0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_json_document *document = NULL;
    am_arena arena = {0};
    am_generation_config c = am_generation_config_default();
    am_status status = am_json_parse((const char *)data, size, "generation_config.json", &document);
    if (!status)
        status =
            am_generation_config_merge(am_json_root(document), "generation_config.json", AM_INVALID_FILE, &arena, &c);
    check_tokens(c.eos_token_id);
    check_tokens(c.forced_eos_token_id);
    check_tokens(c.suppress_tokens);
    check_tokens(c.begin_suppress_tokens);
    check_sequences(c.bad_words_ids, !status);
    check_sequences(c.sequence_bias, !status);
    check_texts(c.stop_strings);
    require(c.max_new_tokens <= INT32_MAX && c.top_k <= INT32_MAX && c.num_beams >= 1);
    am_status_free(status);
    am_json_close(document);
    am_arena_deinit(&arena);
    return 0;
}
