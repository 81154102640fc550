/* anymodel: open a Hugging Face model directory, give it input, get the answer.

   Text is UTF-8 and zero-terminated. Results that are structured come as JSON, with the fields and numbers of
   transformers' pipelines; am_result_text makes them readable. Strings given out are freed with
   am_string_free. Calls fail with a status (status.h) whose message says what was wrong and where. One model
   is used by one thread at a time; several models may be used at once. */
#ifndef ANYMODEL_ANYMODEL_H
#define ANYMODEL_ANYMODEL_H

#include <anymodel/input.h>
#include <anymodel/processor.h>
#include <anymodel/status.h>
#include <anymodel/tensor.h>
#include <anymodel/text.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0". */
AM_API const char *am_version(void);

AM_API void am_string_free(char *text);

/* How many threads work from now on, for the whole process; 0: as many as the machine allows. */
AM_API am_status am_set_threads(int count) AM_NODISCARD;
AM_API int am_get_threads(void);

/* Gets what a caller should know though calls succeed ("target max is not available: ..."), once for each text, and
   how long work goes on ("compiling for max: 40 s"). From any thread; null: none. */
AM_API void am_set_message_handlers(void (*on_warning)(void *context, const char *message),
                                    void (*on_progress)(void *context, const char *message), void *context);

/* --- models --- */

typedef struct am_model am_model;

typedef struct am_model_options {
    const char *target;        /* "openvino", "max,mojo", "openvino:GPU", "cpu"; null: ANYMODEL_TARGET, else
                                  USE_MOJO_MAX_TARGET=1 (max, then mojo), else "auto" */
    const char *target_policy; /* "require": what runs elsewhere is an error; "prefer": it runs on the next one named,
                                  the cpu last; "auto": where it is fastest. null: ANYMODEL_TARGET_POLICY, else prefer
                                  for named targets */
    const char *architecture;  /* class to use instead of config.json's architectures[0]; null: that one */
    const char *auto_class;    /* "AutoModelForMaskedLM": the class that it makes of config.json's model_type; null: no
                                  wish. AutoModel decides where config.json names no class */
    const char *tokenizer;     /* "auto" or null; "file": tokenizer.json as it is (see am_tokenizer_load) */
    const char *weights;       /* "int8", "int4", "int4-asymmetric": weights of linear layers are rounded when they are
                                  first used, and the target is the cpu unless others are named; null or "auto": as the
                                  files have them. Not of a file of am_model_save_compiled */
    const char *dtype; /* "bf16": numbers that are multiplied in linear layers, attention and convolutions may be
                          rounded to bfloat16, with sums in float32, and the target is the cpu unless others are
                          named; null, "auto" or "float32": not. Not of a file of am_model_save_compiled */
} am_model_options;

/* Opens a model directory (config.json, weights, tokenizer and processor files as far as they are needed), or a file of
   am_model_save_compiled. options may be null. Fails with AM_UNSUPPORTED naming the class, AM_NOT_FOUND,
   AM_INVALID_FILE, AM_UNAVAILABLE (target).

   Such a file says itself what it runs on; target, where it is given, must be that. Nothing is compiled: what does not
   fit (an input of other sizes, another version of the program or of the target's library, another cpu) fails with
   AM_UNSUPPORTED, or under the policy "prefer" runs on the cpu with a warning. Weights that are not those it was
   compiled with fail in any case. */
AM_API am_status am_model_open(const char *path, const am_model_options *options, am_model **out) AM_NODISCARD;
AM_API void am_model_close(am_model *model);

/* Weights are mapped: the files must keep their length while a model is open, and the kernel raises SIGBUS when one
   does not. For a handler of that signal, in which it may be called: the path of the mapped file that holds this
   address, or null. */
AM_API const char *am_mapped_file_at(const void *address);

/* Class name ("BertForMaskedLM") and the pipeline task it is for ("fill-mask"; null: none). Borrowed. */
AM_API const char *am_model_architecture(const am_model *model);
AM_API const char *am_model_task(const am_model *model);

/* --- tasks --- */

/* Runs a pipeline task on one input. task null: the model's own. options_json: an object of the task's
   parameters as transformers names them ({"top_k": 5, "candidate_labels": ["a", "b"]}), or null. */
AM_API am_status am_model_run(am_model *model, const char *task, const am_task_input *input, const char *options_json,
                              char **out_json) AM_NODISCARD;

/* A result of am_model_run as lines for people. */
AM_API am_status am_result_text(const char *json, char **out_text) AM_NODISCARD;

/* All tasks: [{"task": ..., "input": ..., "summary": ...}]. */
AM_API am_status am_tasks(char **out_json) AM_NODISCARD;

/* Sentence embeddings, pooled and normalized as modules.json says (without it: mean of the attended tokens,
 *normalized). out: [count, *out_dims], freed with am_floats_free. */
AM_API am_status am_model_embed(am_model *model, const char *const *texts, size_t count, float **out,
                                size_t *out_dims) AM_NODISCARD;
AM_API void am_floats_free(float *numbers);

/* --- generation --- */

/* Numbers left at 0 take generation_config.json's value, or transformers' default; sampling is off unless
   one of its settings (temperature, top_k, top_p, min_p, ...) is given, or do_sample. */
typedef struct am_text_options {
    int max_new_tokens;
    double temperature, top_p, min_p, repetition_penalty;
    int top_k, num_beams;
    unsigned long long seed;
    bool greedy;             /* no sampling, whatever the configuration says */
    const char *const *stop; /* texts that end the answer and are cut off; stop_count of them */
    size_t stop_count;
    /* Further fields of generation_config.json as an object ({"length_penalty": 2.0, "num_return_sequences": 2}); the
       fields above go before them. null: none. */
    const char *generation_json;
    /* Called with each piece of text as it becomes certain; false cancels. With beams the text comes in one piece. */
    bool (*on_text)(void *context, const char *text, size_t length);
    void *context;
} am_text_options;

/* One of num_return_sequences answers. */
typedef struct am_text_sequence_result {
    char *text; /* without the prompt */
    int *ids;   /* its tokens */
    size_t id_count;
    const char *finish_reason; /* "stop", "length" or "cancelled"; static */
    double score;              /* with beams: sum of logarithms of probabilities over length ** length_penalty */
} am_text_sequence_result;

/* The first answer, which with beams is the best, and all of them. Freed by am_text_result_deinit. */
typedef struct am_text_result {
    const char *text; /* those of sequences[0] */
    const int *ids;
    size_t id_count;
    const char *finish_reason;
    int prompt_tokens;
    double prefill_ms, decode_ms;
    am_text_sequence_result *sequences;
    size_t sequence_count;
    bool has_scores;
} am_text_result;

/* Continues a prompt, or answers it (encoder-decoders). options may be null. */
AM_API am_status am_model_generate(am_model *model, const char *prompt, const am_text_options *options,
                                   am_text_result *out) AM_NODISCARD;

/* Answers messages ([{"role": "user", "content": ...}, ...] as JSON) through the model's chat template. A content that
   is a list of parts may show images and videos: {"type": "image", "path": FILE}, "video", as transformers has it; see
   am_model_check_images.
 */
AM_API am_status am_model_chat(am_model *model, const char *messages_json, const am_text_options *options,
                               am_text_result *out) AM_NODISCARD;
AM_API void am_text_result_deinit(am_text_result *result);

/* Fails with AM_UNSUPPORTED, naming the model type, unless messages may show images to this model; and as opening its
   processor does. */
AM_API am_status am_model_check_images(am_model *model) AM_NODISCARD;

/* The same of videos. */
AM_API am_status am_model_check_videos(am_model *model) AM_NODISCARD;

/* --- the bare model --- */

/* Runs transformers' forward: inputs by name in any dtype. Outputs are borrowed until the next call on this
 * model; *out_count of them. */
AM_API am_status am_model_forward(am_model *model, const am_named_array *inputs, size_t count,
                                  bool output_hidden_states, const am_named_array **outputs,
                                  size_t *out_count) AM_NODISCARD;

/* --- compiling ahead --- */

/* Compiles what answers need for inputs of these sizes ("batch=1,length=128", or null); for a class that generates that
   is reading a prompt of that length and writing new_tokens (0: 64) more. Whatever else the model has run since it was
   opened is compiled as well. */
AM_API am_status am_model_compile(am_model *model, const char *shapes, int new_tokens) AM_NODISCARD;

/* Writes one file with every graph that the model has compiled since it was opened: the graphs, what their target made
   of them, configuration and tokenizer, and the SHA-256 of the weights, which stay where they are. am_model_open opens
   it. *out_json (may be null): {"file", "pieces": [{"graph", "piece", "target", "nodes", "compiled_bytes"}], "bytes",
   "seconds"}, the last since the model was opened. Fails with AM_INVALID_ARGUMENT where nothing was compiled or the
   policy is auto, AM_IO. The file holds machine code: open only files that you trust as you trust a program. */
AM_API am_status am_model_save_compiled(am_model *model, const char *path, char **out_json) AM_NODISCARD;

/* --- what is there --- */

/* Configuration, class, whether it is supported and if not why, parameters, bytes, tensors, files; of any
 * model directory. */
AM_API am_status am_inspect(const char *directory, char **out_json) AM_NODISCARD;

/* The graph for inputs of these shapes and where each node runs. shapes: "batch=1,length=128" or null. */
AM_API am_status am_model_plan(am_model *model, const char *shapes, char **out_json) AM_NODISCARD;

/* Under the policy auto, where the graph of the last run is now and by which measurements: "on openvino (openvino 8.1
   ms, cpu 12.3 ms, least of 6)". Null under other policies and before a run. Borrowed until the next call on this
   model. */
AM_API const char *am_model_auto_state(am_model *model);

/* What this machine has to run models on, and why not for the rest: [{"name", "available", "version", "devices",
   "reason", "remedy", ..}]. Looks at files and device nodes only. */
AM_API am_status am_targets(char **out_json) AM_NODISCARD;

/* Fails as am_model_open would for these wishes (see am_model_options): AM_INVALID_ARGUMENT on names that do not exist,
   AM_UNAVAILABLE on a required target that is not here. */
AM_API am_status am_targets_wish(const char *target, const char *target_policy) AM_NODISCARD;

/* Opens every target that is here and runs a small graph on it: [{"name", "works", "message", "worst_difference",
   "ms"}]. Where a target compiles, this may take a minute. only: one target, which must be here (AM_UNAVAILABLE); null:
   all. */
AM_API am_status am_targets_check(const char *only, char **out_json) AM_NODISCARD;

/* What is kept from run to run in the cache folder ($ANYMODEL_CACHE, else $XDG_CACHE_HOME/anymodel, else
   ~/.cache/anymodel): {"folder", "kinds": [{"kind", "files", "bytes", "what"}], "bytes"}. "kind" is "weights", "max",
   "mojo", "auto" or "digests". Fails with AM_IO where there is no such folder to be. */
AM_API am_status am_cache_list(char **out_json) AM_NODISCARD;

/* Deletes what is kept of `count` kinds, 0: of all; runs that use it go on. The answer is as above for these kinds
   after it, with "freed_bytes" in place of "bytes" and for each kind. Fails with AM_INVALID_ARGUMENT on another kind.
 */
AM_API am_status am_cache_clear(const char *const *kinds, size_t count, char **out_json) AM_NODISCARD;

/* Every class this build runs: [{"class", "model_type", "task", "state", "auto_classes"}]. */
AM_API am_status am_models(char **out_json) AM_NODISCARD;

/* What each of `count` class names of transformers is: [{"name", "state", "model_type", "what"}]. "state" is
   "verified", "verified as PyTorch" (a TensorFlow class), "not yet", "auto class", "output type", "internal module",
   "abstract class", "removed", "not a model" or "unknown"; "what" says it in a sentence. */
AM_API am_status am_model_names(const char *const *names, size_t count, char **out_json) AM_NODISCARD;

/* Load time, first answer, steady latency, tokens per second, memory, GFLOP/s and GB/s beside the machine's
   measured peaks. options may be null; shapes as for am_model_plan. profile: also the time of a run by kernel, from
   runs of their own ("profile"; else null). Under the target policy "auto" those are the cpu's, and a target other than
   cpu and mojo keeps no times. */
AM_API am_status am_benchmark(const char *directory, const am_model_options *options, const char *shapes, bool profile,
                              char **out_json) AM_NODISCARD;

/* What rounding in a model that writes text, as options->weights and dtype say (am_model_options), changes in its
   logits on a text, which is read in windows of `window` tokens (0: 256, or as many as the model takes): {"weights",
   "dtype", "tokens", "windows", "kl_divergence" (mean of KL(as shipped || rounded), in nats a token),
   "kl_divergence_largest", "same_top_token" (the share of tokens whose likeliest next one stays the same), "perplexity"
   and "weight_bytes" (each {"as_shipped", "rounded"}; of all weights that the model uses), "rounded_weights"}. Fails
   with AM_UNSUPPORTED where the model gives no logits for the token that follows, AM_INVALID_ARGUMENT on a text of
   fewer than two tokens or where options round nothing. */
AM_API am_status am_quality(const char *directory, const am_model_options *options, const char *text, int window,
                            char **out_json) AM_NODISCARD;

/* --- verification --- */

typedef struct am_verify_case {
    const char *file, *name, *architecture;
    const char *verdict; /* "passed", "failed" or "unsupported" */
    const char *message; /* why it failed */
    double worst;        /* largest |error| / error of PyTorch in float32 */
    double milliseconds;
    long long nodes, native_nodes; /* computed by runs of the case; of those, on a target other than the cpu */
} am_verify_case;

typedef struct am_verify_summary {
    long long passed, failed, unsupported;
    long long nodes, native_nodes;
} am_verify_summary;

typedef struct am_verify_request {
    const char *only;                   /* part of a case's name; null: all */
    const char *target, *target_policy; /* as in am_model_options */
    /* As in am_model_options, but small weights are rounded too. Where one of them rounds, a case passes when each
       output lies within am_verify_rounded_bound of what is expected, and generated tokens are not compared; `worst`
       then is the largest such distance: the root mean square of the errors over that of what is expected. */
    const char *weights, *dtype;
    void (*on_case)(void *context, const am_verify_case *report); /* null: none */
    /* Gets every node that ran elsewhere than on the first target, and why; null: none. */
    void (*on_elsewhere)(void *context, const char *op, const char *reason);
    void *context;
} am_verify_request;

/* The bound above for values of am_model_options.weights and dtype; 0 where they round nothing or are none. */
AM_API double am_verify_rounded_bound(const char *weights, const char *dtype);

/* Runs golden files of format 1 (a file or a folder); adds to *summary. */
AM_API am_status am_verify_files(const char *path, const am_verify_request *request,
                                 am_verify_summary *summary) AM_NODISCARD;

typedef struct am_verify_text_request {
    const char *only; /* part of a part's name ("processors/ViT"); null: all */
    /* A line for each case that failed ("failed: ...") or is unsupported; null: none. */
    void (*on_line)(void *context, const char *line);
    /* After each part, what was counted in it; null: none. */
    void (*on_part)(void *context, const char *part, const am_verify_summary *counted, double seconds);
    void *context;
} am_verify_text_request;

/* Compares tokenizers, chat templates, images, sounds and pipelines with recorded answers of the Python libraries: a
   folder of tests/unit/text/data/README.md or tests/unit/media/data/README.md, or one that holds several. Adds to
   *summary. `request` may be null. */
AM_API am_status am_verify_text_files(const char *path, const am_verify_text_request *request,
                                      am_verify_summary *summary) AM_NODISCARD;

typedef struct am_verify_step {
    const char *module;                       /* of transformers, as model files name it */
    const char *verdict;                      /* "same", "differs", or "absent": computed here in another form */
    const char *scope;                        /* where the nearest value was computed; null when absent */
    double error, tolerance, expected, found; /* at the element where they are furthest apart */
    long long element;
} am_verify_step;

/* Compares the intermediate values of a case of a golden file with a trace that tools/golden recorded of it, in the
   order in which transformers computed them. */
AM_API am_status am_verify_modules(const char *path, const char *trace,
                                   void (*on_step)(void *context, const am_verify_step *step),
                                   void *context) AM_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
