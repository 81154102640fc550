/* Configurations that lie: every number, list and flag of the configuration of every golden case in turn has another
   value, zero, negative, absurd or of another kind. Whatever a class makes of it, its graph or an error, is fine; a
   crash or seconds of work are not. Usage: lying_configs FOLDER [PART PARTS]   only part PART of PARTS (from 0) of
   them. */
#include "base/json.h"
#include "base/memory.h"
#include "runtime/golden.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 20 }; /* of a processor, for one graph */

static const char *const lies[] = {"0", "1", "-1", "3", "1000000", "2147483648", "1e300", "null", "\"x\"", "[]", "{}"};

static struct {
    int64_t part, parts, counted, built, refused;
    char now[512]; /* what is tried now, for the message of a crash */
} state = {.parts = 1};

/* Sanitizers call it before they end the program. */
void __asan_on_error(void);
void __asan_on_error(void)
{
    (void)!write(STDERR_FILENO, state.now, strlen(state.now));
}

static void on_signal(int signal)
{
    __asan_on_error();
    _exit(signal == SIGVTALRM ? 3 : 2);
}

static void build(am_golden_case *c, am_json root)
{
    am_config_root config_root;
    am_config config, own = c->model->config;
    am_session *session = NULL;
    am_run_options run;
    const struct itimerval limit = {.it_value.tv_sec = SECONDS}, none = {0};
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
    am_status status = am_config_init(&config_root, "config.json", root, &config);
    if (!status) {
        c->model->config = config;
        status = am_golden_run_options(c, &run);
    }
    if (!status) status = am_session_create(c->model, NULL, &session);
    if (!status) status = am_session_plan(session, c->inputs, c->input_count, &run);
    if (am_status_code(status) == AM_INTERNAL) {
        fprintf(stderr, "%s: %s\n", state.now, am_status_message(status));
        exit(1);
    }
    state.built += !status;
    state.refused += status != NULL;
    am_session_destroy(session);
    am_status_free(status);
    am_config_deinit(&config_root);
    c->model->config = own;
    setitimer(ITIMER_VIRTUAL, &none, NULL);
}

/* The configuration with `lie` in place of the bytes [begin, end). */
static void tell(am_golden_case *c, const char *text, size_t begin, size_t end, const char *lie)
{
    am_buffer changed = {0};
    am_json_document *document = NULL;
    if (state.counted++ % state.parts != state.part) return;
    size_t from = begin < 60 ? 0 : begin - 60;
    snprintf(state.now, sizeof state.now, "\n%s, ..%.*s%s\n", c->name, (int)(begin - from), text + from, lie);
    am_buffer_append(&changed, text, begin);
    am_buffer_append(&changed, lie, strlen(lie));
    am_buffer_append(&changed, text + end, strlen(text + end));
    am_status status = am_json_parse(am_buffer_text(&changed), changed.length, "config.json", &document);
    if (!status) build(c, am_json_root(document));
    am_status_free(status);
    am_json_close(document);
    am_buffer_deinit(&changed);
}

static size_t end_of_string(const char *text, size_t at)
{
    for (at++; text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at + 1;
}

/* The end of the list or object that begins at `at`. */
static size_t end_of_list(const char *text, size_t at)
{
    int depth = 0;
    for (;;) {
        if (text[at] == '"') {
            at = end_of_string(text, at);
            continue;
        }
        depth += (text[at] == '[' || text[at] == '{') - (text[at] == ']' || text[at] == '}');
        at++;
        if (depth == 0) return at;
    }
}

static void tell_all(am_golden_case *c, const char *text, size_t begin, size_t end)
{
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) tell(c, text, begin, end, lies[i]);
}

/* Every number, flag and list. */
static void try_config(am_golden_case *c, const char *text)
{
    for (size_t at = 0; text[at];) {
        size_t end = at + 1;
        if (text[at] == '"') end = end_of_string(text, at);
        else if (text[at] == '[') tell_all(c, text, at, end_of_list(text, at)); /* and then what is in it */
        else if (isalnum((unsigned char)text[at]) || text[at] == '-') {
            while (text[end] && !strchr(",]} \n", text[end])) end++;
            tell_all(c, text, at, end);
        }
        at = end;
    }
}

static am_status try_case(am_json json, const char *path, const am_tensor_table *arrays)
{
    am_golden_case c;
    am_buffer text = {0};
    am_status status = am_golden_case_open(json, path, arrays, &c);
    if (!status) {
        am_json_write(am_json_get(json, "config"), &text);
        try_config(&c, am_buffer_text(&text));
    }
    am_buffer_deinit(&text);
    am_golden_case_close(&c);
    return status;
}

static am_status try_file(const char *path)
{
    am_json_document *document;
    am_tensor_table arrays = {0};
    AM_TRY(am_json_open(path, &document));
    am_status status = am_golden_read_arrays(path, &arrays);
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "cases"));
         am_json_next(&i) && !status;)
        status = try_case(i.value, path, &arrays);
    am_tensor_table_deinit(&arrays);
    am_json_close(document);
    return status;
}

/* In a process of its own, which may crash; whether it did not. */
static bool try_apart(const char *path, int64_t counts[3])
{
    int status, ends[2];
    if (pipe(ends)) return false;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        am_status failed = try_file(path);
        if (failed) fprintf(stderr, "%s\n", am_status_message(failed));
        const int64_t all[] = {state.counted, state.built, state.refused};
        (void)!write(ends[1], all, sizeof all);
        exit(failed != NULL);
    }
    close(ends[1]);
    int64_t found[3] = {counts[0], 0, 0};
    (void)!read(ends[0], found, sizeof found);
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child) return false;
    counts[0] = found[0], counts[1] += found[1], counts[2] += found[2];
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    am_arena arena = {0};
    char **files = NULL;
    size_t count = 0;
    int failed = 0;
    int64_t counts[3] = {0};
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL, SIGVTALRM};
    if (argc < 2) {
        fprintf(stderr, "usage: lying_configs FOLDER [PART PARTS]\n");
        return 2;
    }
    am_status status = am_golden_list_files(argv[1], &arena, &files, &count);
    if (status) fprintf(stderr, "%s\n", am_status_message(status));
    am_status_free(status);
    if (argc > 3) state.part = atoi(argv[2]), state.parts = atoi(argv[3]) > 0 ? atoi(argv[3]) : 1;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], on_signal);
    for (size_t i = 0; i < count; i++) {
        state.counted = counts[0];
        if (try_apart(files[i], counts)) continue;
        fprintf(stderr, "%s: FAILED\n", files[i]);
        failed++;
    }
    am_arena_deinit(&arena);
    printf("%zu files: %lld lies believed, %lld refused, %d files failed\n", count, (long long)counts[1],
           (long long)counts[2], failed);
    return failed != 0 || counts[1] + counts[2] == 0;
}
