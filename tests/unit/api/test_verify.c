#include "api/api_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void count(void *context, const am_verify_case *report)
{
    ++*(int *)context;
    assert_string_equal(report->verdict, "unsupported");
    assert_string_equal(report->name, "new_model");
    assert_string_equal(report->architecture, "NewModel");
}

/* A class that no build has: the case is counted and reported as such. */
static void api_verify__reports_every_case(void **state)
{
    static const char text[] =
        "{\"format\": 1, \"cases\": [{\"case\": \"new_model\", \"class\": \"NewModel\", \"architecture\": "
        "\"NewModel\", "
        "\"config\": {\"model_type\": \"new\"}, \"weights\": [], \"inputs\": {}, \"outputs\": {}}]}";
    const char *path = am_test_write_text(am_test_temporary_directory(), "new.json", text);
    am_verify_summary summary = {.passed = 2};
    int cases = 0;
    am_test_expect_ok(am_verify_files(path, &(am_verify_request){.on_case = count, .context = &cases}, &summary));
    assert_int_equal(cases, 1);
    assert_int_equal(summary.unsupported, 1);
    assert_int_equal(summary.passed, 2);
    assert_int_equal(summary.failed, 0);
    am_test_expect_ok(
        am_verify_files(path, &(am_verify_request){.only = "other", .on_case = count, .context = &cases}, &summary));
    assert_int_equal(cases, 1);
}

static void api_verify__bad_files_are_errors(void **state)
{
    am_verify_summary summary = {0};
    const char *path = am_test_write_text(am_test_temporary_directory(), "old.json", "{\"format\": 7}");
    am_test_expect_error(am_verify_files(path, NULL, &summary), AM_INVALID_FILE, "old.json");
    am_test_expect_error(am_verify_files("/nonexistent.json", NULL, &summary), AM_NOT_FOUND, "/nonexistent.json");
    am_test_expect_error(am_verify_files(NULL, NULL, &summary), AM_INVALID_ARGUMENT, "");
}

typedef struct refusal {
    const char *architecture, *config, *field;
} refusal;

static void expect_refusal(void *context, const am_verify_case *report)
{
    const refusal *r = context;
    assert_string_equal(report->verdict, "unsupported");
    if (!strstr(report->message, r->field)) fail_msg("%s: %s", r->field, report->message);
}

static void verify_refusal(refusal r, const char *kwargs)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"format\": 1, \"cases\": [{\"case\": \"refused\", \"architecture\": \"%s\", \"config\": {%s}, "
             "\"tensors\": [], "
             "\"inputs\": [{\"name\": \"input_ids\", \"dtype\": \"I64\", \"shape\": [1, 2], \"fill\": 5}], "
             "\"kwargs\": {%s}, \"outputs\": []}]}",
             r.architecture, r.config, kwargs);
    const char *path = am_test_write_text(am_test_temporary_directory(), "refused.json", text);
    am_verify_summary summary = {0};
    am_test_expect_ok(am_verify_files(path, &(am_verify_request){.on_case = expect_refusal, .context = &r}, &summary));
    assert_int_equal(summary.unsupported, 1);
}

static void api_verify__names_fields_that_are_not_supported(void **state)
{
    static const refusal refusals[] = {
        {"BertModel", "\"model_type\": \"bert\", \"position_embedding_type\": \"relative_key\"",
         "position_embedding_type"},
        {"BertModel", "\"model_type\": \"bert\", \"hidden_act\": \"foo\"", "hidden_act"},
        {"LayoutLMModel", "\"model_type\": \"layoutlm\", \"add_cross_attention\": true", "add_cross_attention"},
        {"GPTBigCodeModel", "\"model_type\": \"gpt_bigcode\", \"add_cross_attention\": true", "add_cross_attention"},
        {"EncoderDecoderModel", "\"model_type\": \"encoder-decoder\", \"encoder\": {\"model_type\": \"timm_wrapper\"}",
         "encoder.model_type: class TimmWrapperModel"},
        {"EncoderDecoderModel", "\"model_type\": \"encoder-decoder\", \"encoder\": {\"model_type\": \"foo\"}",
         "encoder.model_type: AutoModel"},
        {"SwitchTransformersEncoderModel",
         "\"model_type\": \"switch_transformers\", \"encoder_sparse_step\": 1, \"router_dtype\": \"bfloat16\"",
         "router_dtype"},
        {"NllbMoeModel", "\"model_type\": \"nllb-moe\", \"second_expert_policy\": \"random\"", "second_expert_policy"},
        {"T5EncoderModel", "\"model_type\": \"t5\", \"feed_forward_proj\": \"gated-foo\"", "feed_forward_proj"},
        {"Gemma2Model", "\"model_type\": \"gemma2\", \"use_bidirectional_attention\": true",
         "use_bidirectional_attention"},
        {"Gemma2Model", "\"model_type\": \"gemma2\", \"layer_types\": [\"chunked_attention\"]", "layer_types"},
        {"LlamaModel", "\"model_type\": \"llama\", \"rope_parameters\": {\"rope_type\": \"foo\"}",
         "rope_parameters.rope_type"},
        {"LlamaModel",
         "\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2, "
         "\"partial_rotary_factor\": 0.5}",
         "rope_scaling.partial_rotary_factor"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) verify_refusal(refusals[i], "");
}

static void api_verify__names_arguments_that_are_not_supported(void **state)
{
    verify_refusal((refusal){"BertModel", "\"model_type\": \"bert\"", "attention_kind"},
                   "\"attention_kind\": \"full\"");
}

static void expect_unread_states(void *context, const am_verify_case *report)
{
    ++*(int *)context;
    assert_string_equal(report->verdict, "unsupported");
    assert_non_null(strstr(report->message, "BertLMHeadModel does not read encoder_hidden_states"));
}

/* A decoder without cross-attention would answer whatever the encoder read. */
static void api_verify__a_decoder_must_read_the_encoder(void **state)
{
    int cases = 0;
    am_verify_summary summary = {0};
    char *text = am_test_read_file(am_test_source_path("tests/golden/data/encoder-decoder.json"), NULL);
    for (char *at = text; (at = strstr(at, "\"add_cross_attention\":true"));)
        memcpy(at, "\"add_cross_attention\":null", strlen("\"add_cross_attention\":null"));
    const char *folder = am_test_temporary_directory();
    const char *golden = am_test_write_text(folder, "changed.json", text);
    free(text);
    assert_int_equal(symlink(am_test_source_path("tests/golden/data/encoder-decoder.safetensors"),
                             am_test_format("%s/changed.safetensors", folder)),
                     0);
    am_test_expect_ok(
        am_verify_files(golden, &(am_verify_request){.on_case = expect_unread_states, .context = &cases}, &summary));
    assert_int_equal(cases, 1);
}

static void expect_unread_argument(void *context, const am_verify_case *report)
{
    if (strcmp(report->verdict, "unsupported") != 0) return;
    if (!strstr(report->message, context)) fail_msg("%s", report->message);
}

/* ESM's cases with other arguments: `kwargs` is as long as what stands there. */
static void verify_with_arguments(const char *kwargs, char *message)
{
    static const char before[] = "\"kwargs\":{\"output_hidden_states\":true}";
    const char *folder = am_test_temporary_directory();
    am_verify_summary summary = {0};
    size_t length;
    assert_int_equal(strlen(before), strlen(kwargs));
    char *text = am_test_read_file(am_test_source_path("tests/golden/data/esm.json"), &length);
    for (char *at = text; (at = strstr(at, before)) != NULL;) memcpy(at, kwargs, strlen(kwargs));
    const char *path = am_test_format("%s/esm.json", folder);
    am_test_write_file(path, text, length);
    free(text);
    text = am_test_read_file(am_test_source_path("tests/golden/data/esm.safetensors"), &length);
    am_test_write_file(am_test_format("%s/esm.safetensors", folder), text, length);
    free(text);
    am_test_expect_ok(
        am_verify_files(path, &(am_verify_request){.on_case = expect_unread_argument, .context = message}, &summary));
    assert_int_equal(summary.unsupported, 2);
    assert_int_equal(summary.failed, 0);
}

static void api_verify__names_arguments_that_no_class_reads(void **state)
{
    (void)state;
    char number[] = "argument num_recycles is not supported", flag[] = "argument output_attentions is not supported";
    verify_with_arguments("\"kwargs\":{\"num_recycles\":2           }", number);
    verify_with_arguments("\"kwargs\":{\"output_attentions\":true   }", flag);
}

/* --- module by module --- */

#define TRACE "tests/unit/api/data/llama_for_causal_lm.trace.safetensors"

typedef struct modules {
    int same, differing;
    char first[128]; /* module that differs */
} modules;

static void note_step(void *context, const am_verify_step *step)
{
    modules *m = context;
    m->same += strcmp(step->verdict, "same") == 0;
    if (strcmp(step->verdict, "differs") != 0) return;
    assert_true(step->error > step->tolerance);
    if (!m->differing++) snprintf(m->first, sizeof m->first, "%s", step->module);
}

static void api_verify__modules_agree_with_their_trace(void **state)
{
    modules m = {0};
    const char *golden = am_test_source_path("tests/golden/data/llama.json");
    am_test_expect_ok(am_verify_modules(golden, am_test_source_path(TRACE), note_step, &m));
    assert_int_equal(m.differing, 0);
    assert_true(m.same >= 30);
}

/* The same weights under another epsilon: the first norm is the first module to differ. */
static void api_verify__the_first_module_that_differs_is_named(void **state)
{
    modules m = {0};
    char *text = am_test_read_file(am_test_source_path("tests/golden/data/llama.json"), NULL);
    for (char *at = text; (at = strstr(at, "\"rms_norm_eps\":1e-06"));) memcpy(at, "\"rms_norm_eps\":1e-01", 20);
    const char *folder = am_test_temporary_directory();
    const char *golden = am_test_write_text(folder, "llama.json", text);
    free(text);
    assert_int_equal(symlink(am_test_source_path("tests/golden/data/llama.safetensors"),
                             am_test_format("%s/llama.safetensors", folder)),
                     0);
    am_test_expect_ok(am_verify_modules(golden, am_test_source_path(TRACE), note_step, &m));
    assert_string_equal(m.first, "model.layers.0.input_layernorm");
}

static void api_verify__a_trace_belongs_to_its_case(void **state)
{
    modules m = {0};
    const char *bert = am_test_source_path("tests/golden/data/bert.json"), *trace = am_test_source_path(TRACE);
    am_test_expect_error(am_verify_modules(bert, trace, note_step, &m), AM_NOT_FOUND, "no case LlamaForCausalLM");
    am_test_expect_error(
        am_verify_modules(bert, am_test_source_path("tests/golden/data/bert.safetensors"), note_step, &m),
        AM_INVALID_FILE, "not a trace");
    am_test_expect_error(am_verify_modules(bert, "/nonexistent", note_step, &m), AM_NOT_FOUND, "/nonexistent");
    am_test_expect_error(am_verify_modules(NULL, trace, note_step, &m), AM_INVALID_ARGUMENT, "");
}
