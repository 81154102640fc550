/* A target that compiles long for each new shape: the cpu under another name stands for it. */
#include "base/json.h"
#include "formats/safetensors.h"
#include "runtime/generate.h"
#include "runtime/golden.h"
#include "graph/ops.h"

#include "test_support.h"

#include <string.h>

enum { LONGEST = 37, NEW_TOKENS = 12, LENGTHS = 3 };

static const int64_t lengths[LENGTHS] = {7, 26, LONGEST};

static int created; /* programs by the slow target */

static am_status create_slowly(const am_graph *graph, const am_target_options *options, void **out)
{
    created++;
    return am_target_find("cpu", 3)->create(graph, options, out);
}

static void generate(am_loaded_model *model, const am_session_options *options, int64_t length, bool padded,
                     int32_t out[2][NEW_TOKENS])
{
    int32_t ids[2 * LONGEST], mask[2 * LONGEST];
    am_session *session;
    am_generated made;
    am_generation_config config = am_generation_config_default();
    am_session_input attention_mask = {"attention_mask", {AM_I32, am_shape_of(2, length), mask}};
    am_generate_request request = {.batch = 2, .length = length, .ids = ids, .config = &config};
    for (int64_t i = 0; i < 2 * length; i++) ids[i] = (int32_t)(3 + i * 7 % 50);
    for (int64_t i = 0; i < 2 * length; i++) mask[i] = i >= 3; /* padding on the left of the first row */
    request.inputs = &attention_mask;
    request.input_count = padded;
    config.max_new_tokens = config.min_new_tokens = NEW_TOKENS;
    am_test_expect_ok(am_session_create(model, options, &session));
    am_test_expect_ok(am_generate(session, &request, &made));
    for (int r = 0; r < 2; r++) {
        assert_int_equal(made.lengths[r], NEW_TOKENS);
        memcpy(out[r], made.ids + r * made.stride, sizeof out[r]);
    }
    am_generated_deinit(&made);
    am_session_destroy(session);
}

static am_target slow_target(void)
{
    am_target slow = *am_target_find("cpu", 3);
    slow.name = "slow";
    slow.compiles_long = true;
    slow.create = create_slowly;
    return slow;
}

/* The golden case's model says the same on both, for all lengths; gives how many programs one length needed at most. */
static int most_programs(const char *file, const char *name, bool padded)
{
    am_target slow = slow_target();
    am_json_document *document;
    am_tensor_table arrays = {0};
    am_golden_case golden;
    int most = 0;
    const am_session_options options = {
        .targets = {.picks = {{.target = &slow}}, .count = 1, .policy = AM_TARGET_REQUIRE}};
    const char *stem = am_test_source_path(am_test_format("tests/golden/data/%s", file));
    am_test_expect_ok(am_json_open(am_test_format("%s.json", stem), &document));
    am_test_expect_ok(am_safetensors_read(am_test_format("%s.safetensors", stem), &arrays));
    am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "cases"));
    while (am_json_next(&i) && !am_json_equals(am_json_get(i.value, "case"), name)) continue;
    am_test_expect_ok(am_golden_case_open(i.value, file, &arrays, &golden));
    for (int k = 0; k < LENGTHS; k++) {
        int32_t expected[2][NEW_TOKENS], found[2][NEW_TOKENS];
        created = 0;
        generate(golden.model, NULL, lengths[k], padded, expected);
        assert_int_equal(created, 0);
        generate(golden.model, &options, lengths[k], padded, found);
        assert_memory_equal(found, expected, sizeof found);
        if (created > most) most = created;
    }
    am_golden_case_close(&golden);
    am_tensor_table_deinit(&arrays);
    am_json_close(document);
    return most;
}

/* Parts of 16 tokens and single ones, whatever the length. */
static void runtime_slow_target__two_graphs_read_prompts_of_all_lengths(void **state)
{
    assert_int_equal(most_programs("llama", "LlamaForCausalLM", false), 2);
    assert_int_equal(most_programs("llama", "LlamaForCausalLM", true), 2);
    assert_int_equal(most_programs("gpt2", "GPT2LMHeadModel", true), 2);
    assert_int_equal(most_programs("mamba", "MambaForCausalLM", false), 2);
}

/* What these give depends on how much is read at once. */
static void runtime_slow_target__some_classes_read_the_whole_prompt(void **state)
{
    assert_int_equal(most_programs("llama", "LlamaForCausalLM+dynamic", false), 2);
    assert_int_equal(most_programs("llama", "LlamaForCausalLM+longrope_long", false), 2);
    assert_int_equal(most_programs("minimax", "MiniMaxForCausalLM", false), 2);
}

static void runtime_slow_target__a_plan_is_made_without_compiling(void **state)
{
    am_target slow = slow_target();
    const am_target_choice choice = {.picks = {{.target = &slow}}, .count = 1, .policy = AM_TARGET_REQUIRE};
    am_builder *b;
    am_graph *graph;
    am_program *program;
    float x[2] = {1, 2};
    int64_t nodes = 0, native = 0;
    am_test_expect_ok(am_builder_create(&b));
    am_value input = am_graph_input(b, "x", AM_F32, am_shape_of(2));
    am_output(b, "y", am_add(b, input, input));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    created = 0;
    am_test_expect_ok(am_program_create(graph, &choice, &(am_target_options){.plan_only = true}, &program));
    am_program_count(program, &nodes, &native);
    assert_int_equal(native, 1);
    assert_string_equal(am_program_piece_target(program, 0)->name, "slow");
    assert_int_equal(am_program_bytes(program), 0);
    assert_int_equal(created, 0);
    for (int i = 0; i < 2; i++) {
        am_test_expect_ok(am_program_run(program, &(am_tensor){AM_F32, am_shape_of(2), x}, NULL));
        assert_true(((const float *)am_program_output(program, 0).data)[1] == 4);
    }
    assert_int_equal(created, 1);
    am_program_destroy(program);
    am_graph_destroy(graph);
}
