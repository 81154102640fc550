#include "targets/openvino/compiled.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct am_ov_compiled {
    const am_openvino *ov;
    ov_compiled_model_t *model;
    const char *device;
    am_arena arena; /* constants that the model reads */
    int users;
    bool is_shared; /* reads no memory that belongs to one graph */
};

/* Who uses what; under the lock. */
typedef struct user {
    const am_ir *ir;
    am_ov_compiled *compiled;
    bool stays_alone; /* OpenVINO compiles no model with free sizes of this kind */
    struct user *next;
} user;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static user *users;
static int64_t compiled_count, reused_count;

/* --- compiling --- */

/* The reader gets the address space as its file of weights: constants are read where they lie. */
static am_status read_model(const am_openvino *ov, const am_ir *ir, ov_model_t **out)
{
    am_buffer text = {0};
    ov_tensor_t *weights = NULL;
    int64_t size = INT64_C(1) << 47;
    am_status status = am_ir_write(ir, &text);
    if (!status)
        status = am_openvino_check(
            ov, ov->ov_tensor_create_from_host_ptr(OV_U8, (ov_shape_t){1, &size}, (void *)AM_IR_BASE, &weights),
            "weights");
    if (!status)
        status = am_openvino_check(
            ov, ov->ov_core_read_model_from_memory_buffer(ov->core, am_buffer_text(&text), text.length, weights, out),
            "reading the graph");
    if (weights) ov->ov_tensor_free(weights);
    am_buffer_deinit(&text);
    return status;
}

enum { PROPERTIES = 5, DEVICE_PROPERTIES = 2 };

/* How models are compiled: the first DEVICE_PROPERTIES on every device, all on the cpu. */
static void list_properties(char threads[16], ov_property_t out[PROPERTIES])
{
    snprintf(threads, 16, "%d", am_threads_count());
    out[0] = (ov_property_t){"INFERENCE_PRECISION_HINT", "f32"};
    out[1] = (ov_property_t){"PERFORMANCE_HINT", "LATENCY"};
    out[2] = (ov_property_t){"NUM_STREAMS", "1"};
    out[3] = (ov_property_t){"INFERENCE_NUM_THREADS", threads};
    out[4] = (ov_property_t){"ENABLE_CPU_PINNING", "NO"};
}

static size_t property_count(const char *device)
{
    return strcmp(device, "CPU") == 0 ? PROPERTIES : DEVICE_PROPERTIES;
}

static am_status compile_model(am_ov_compiled *c, const ov_model_t *model)
{
    char threads[16];
    ov_property_t properties[PROPERTIES];
    list_properties(threads, properties);
    return am_openvino_check(c->ov,
                             c->ov->ov_core_compile_model_props(c->ov->core, model, c->device,
                                                                property_count(c->device), properties, &c->model),
                             "compiling");
}

static void destroy(am_ov_compiled *c)
{
    if (!c) return;
    if (c->model) c->ov->ov_compiled_model_free(c->model);
    am_arena_deinit(&c->arena);
    am_free(c);
}

static am_status compile(am_ov_compiled *c, const am_ir *ir)
{
    ov_model_t *model = NULL;
    am_status status = read_model(c->ov, ir, &model);
    if (!status) status = compile_model(c, model);
    if (model) c->ov->ov_model_free(model);
    return status;
}

/* --- sharing --- */

static am_status create(const am_openvino *ov, const char *device, am_ov_compiled **out)
{
    am_ov_compiled *c = *out = am_alloc_zeroed(1, sizeof *c);
    if (!c) return am_out_of_memory();
    c->ov = ov;
    c->device = am_arena_string(&c->arena, device, strlen(device));
    return c->device ? NULL : am_out_of_memory();
}

/* The user whose model does for `ir`; else the newest with which it can share one; else null. */
static const user *find_user(const am_ir *ir, const char *device)
{
    const user *found = NULL;
    for (const user *u = users; u; u = u->next) {
        am_ir_relation relation = strcmp(u->compiled->device, device) == 0 ? am_ir_compare(u->ir, ir) : AM_IR_OTHER;
        if (relation == AM_IR_SAME && u->compiled->is_shared) return u;
        if (relation != AM_IR_OTHER && !found) found = u;
    }
    return found;
}

static am_status add_user(const am_ir *ir, am_ov_compiled *c, bool stays_alone)
{
    user *u = am_alloc_zeroed(1, sizeof *u);
    if (!u) return am_out_of_memory();
    *u = (user){.ir = ir, .compiled = c, .stays_alone = stays_alone, .next = users};
    users = u;
    c->users++;
    return NULL;
}

/* Another's model, or the preparation of one for both in `c`. out_alone: neither. */
static am_status join(am_ir *ir, am_ov_compiled *c, bool *out_alone, am_ov_compiled **out)
{
    const user *other = find_user(ir, c->device);
    *out_alone = other && other->stays_alone;
    *out = NULL;
    if (!other || other->stays_alone) return NULL;
    bool reuses = other->compiled->is_shared && am_ir_compare(other->ir, ir) == AM_IR_SAME;
    AM_TRY(am_ir_join(other->ir, ir, reuses ? NULL : &c->arena));
    c->is_shared = true;
    if (!reuses) return NULL;
    *out = other->compiled;
    reused_count++;
    return add_user(ir, other->compiled, false);
}

/* Compiles what was prepared; where OpenVINO takes no free sizes, a model for this graph alone. */
static am_status compile_prepared(am_ov_compiled *c, am_ir *ir, bool *alone)
{
    am_status status = compile(c, ir);
    if (!status || !c->is_shared) return status;
    am_status_free(status);
    am_ir_separate(ir);
    c->is_shared = false;
    *alone = true;
    return compile(c, ir);
}

am_status am_ov_compiled_get(const am_openvino *ov, am_ir *ir, const char *device, am_ov_compiled **out)
{
    am_ov_compiled *c, *found = NULL;
    bool alone = false;
    *out = NULL;
    am_status status = create(ov, device ? device : "CPU", &c);
    pthread_mutex_lock(&lock);
    if (!status) status = join(ir, c, &alone, &found);
    pthread_mutex_unlock(&lock);
    if (!status && !found) status = compile_prepared(c, ir, &alone);
    if (!status && !found) {
        pthread_mutex_lock(&lock);
        status = add_user(ir, c, alone);
        compiled_count += !status;
        pthread_mutex_unlock(&lock);
    }
    if (status || found) destroy(c);
    if (!status) *out = found ? found : c;
    return status;
}

/* --- for files --- */

am_status am_ov_compiled_alone(const am_openvino *ov, const am_ir *ir, const char *device, am_ov_compiled **out)
{
    am_ov_compiled *c;
    am_status status = create(ov, device ? device : "CPU", &c);
    *out = NULL;
    if (!status) status = compile(c, ir);
    if (status) destroy(c);
    if (status) return status;
    c->users = 1;
    *out = c;
    return NULL;
}

/* Properties are those of the device then: reading takes none. */
static am_status read_compiled(am_ov_compiled *c, const void *bytes, size_t length)
{
    char threads[16];
    ov_property_t properties[PROPERTIES];
    list_properties(threads, properties);
    for (size_t i = 0; i < property_count(c->device); i++)
        AM_TRY(am_openvino_check(
            c->ov, c->ov->ov_core_set_property(c->ov->core, c->device, properties[i].key, properties[i].value),
            properties[i].key));
    return am_openvino_check(c->ov, c->ov->ov_core_import_model(c->ov->core, bytes, length, c->device, &c->model),
                             "opening what was compiled");
}

am_status am_ov_compiled_read(const am_openvino *ov, const char *device, const void *bytes, size_t length,
                              am_ov_compiled **out)
{
    am_ov_compiled *c;
    am_status status = create(ov, device ? device : "CPU", &c);
    *out = NULL;
    if (!status) status = read_compiled(c, bytes, length);
    if (status) destroy(c);
    if (status) return status;
    c->users = 1;
    *out = c;
    return NULL;
}

/* OpenVINO writes files only. */
am_status am_ov_compiled_write(const am_ov_compiled *c, am_buffer *out)
{
    const char *temporary = getenv("TMPDIR");
    char path[PATH_MAX], *bytes = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "%s/anymodel-openvino-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0) return am_error_from_errno("create a temporary file", path);
    close(fd);
    am_status status =
        am_openvino_check(c->ov, c->ov->ov_compiled_model_export_model(c->model, path), "writing what was compiled");
    if (!status) status = am_file_read(path, SIZE_MAX, &bytes, &length);
    unlink(path);
    am_buffer_append(out, bytes, length);
    am_free(bytes);
    return status ? status : am_buffer_status(out);
}

void am_ov_compiled_release(am_ov_compiled *c, const am_ir *ir)
{
    if (!c) return;
    pthread_mutex_lock(&lock);
    for (user **u = &users; *u; u = &(*u)->next)
        if ((*u)->ir == ir) {
            user *gone = *u;
            *u = gone->next;
            am_free(gone);
            break;
        }
    bool last = --c->users == 0;
    pthread_mutex_unlock(&lock);
    if (last) destroy(c);
}

const ov_compiled_model_t *am_ov_compiled_model(const am_ov_compiled *c)
{
    return c->model;
}

bool am_ov_compiled_is_shared(const am_ov_compiled *c)
{
    return c->is_shared;
}

void am_ov_compiled_count(int64_t *out_compiled, int64_t *out_reused)
{
    pthread_mutex_lock(&lock);
    *out_compiled = compiled_count;
    *out_reused = reused_count;
    pthread_mutex_unlock(&lock);
}
