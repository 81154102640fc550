#define _GNU_SOURCE
#include "base/threads.h"

#include "base/clock.h"
#include "base/memory.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { THREADS_LIMIT = 1024, SPINS_BEFORE_YIELD = 4000, SPINS_BETWEEN_LOOKS = 64 };

/* Workers wait so long in a loop for the next job: what one thread does alone between two jobs of a token takes less,
   and to wake a thread takes as long as the processor, or the machine around it, takes to come back. */
#define SPIN_MS 1.0

/* Neighbours that a thread takes before it helps others with theirs: from job to job it meets the same part of what is
   computed, as far as numbers of items allow, and finds it in its own cache. */
typedef struct share {
    _Alignas(64) atomic_int_least64_t next; /* first item not yet taken */
    int64_t end;
    uint_least64_t seen; /* number of the job when its worker was started */
} share;

/* Workers come to a job through a gate: from the lowest bits on, how many are inside, whether it is open, and the
   number of the job. The caller closes it when all slices are taken and nobody is inside. So it waits for nobody who
   has not begun: a worker may be without a processor for a while. */
enum { GATE_INSIDE = 0xffff, GATE_OPEN = 0x10000, GATE_JOB = 0x20000 };

typedef struct job {
    am_work work;
    void *context;
    int64_t count, grain;
} job;

static struct {
    pthread_mutex_t caller; /* held by the thread whose job runs */
    pthread_mutex_t sleep;  /* guards the condition */
    pthread_cond_t wake;
    pthread_t *workers;
    int worker_count;
    job job;
    share *shares; /* of the caller, then of each worker */
    atomic_uint_least64_t gate;
    atomic_bool stop;
} pool = {.caller = PTHREAD_MUTEX_INITIALIZER, .sleep = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static _Thread_local bool inside_work;

static int quota_cpus(void)
{
    long long quota, period;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (!file) return 0;
    int fields = fscanf(file, "%lld %lld", &quota, &period);
    fclose(file);
    if (fields != 2 || period <= 0 || quota <= 0) return 0;
    return (int)((quota + period - 1) / period);
}

int am_threads_available(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    int quota = quota_cpus();
    if (quota > 0 && quota < count) count = quota;
    return count < 1 ? 1 : count > THREADS_LIMIT ? THREADS_LIMIT : count;
}

static void take_share(const job *j, share *s)
{
    for (;;) {
        int64_t begin = atomic_fetch_add_explicit(&s->next, j->grain, memory_order_relaxed);
        if (begin >= s->end) return;
        int64_t end = begin + j->grain < s->end ? begin + j->grain : s->end;
        j->work(j->context, begin, end);
    }
}

/* self: 0 for the caller. */
static void take_slices(const job *j, int self)
{
    inside_work = true;
    for (int i = 0; i <= pool.worker_count; i++) take_share(j, &pool.shares[(self + i) % (pool.worker_count + 1)]);
    inside_work = false;
}

/* Slices do not reach from one share into another. */
static void cut_shares(const job *j)
{
    int64_t slices = (j->count + j->grain - 1) / j->grain, threads = pool.worker_count + 1;
    for (int64_t i = 0; i < threads; i++) {
        int64_t end = slices * (i + 1) / threads * j->grain;
        atomic_store_explicit(&pool.shares[i].next, slices * i / threads * j->grain, memory_order_relaxed);
        pool.shares[i].end = end < j->count ? end : j->count;
    }
}

static uint_least64_t job_number(void)
{
    return atomic_load_explicit(&pool.gate, memory_order_acquire) / GATE_JOB;
}

/* Gives the processor to who may wait for it, after many rounds of a loop. */
static void pause_long(int64_t round)
{
    if (round > SPINS_BEFORE_YIELD && round % SPINS_BETWEEN_LOOKS == 0) sched_yield();
#if defined(__x86_64__)
    else __builtin_ia32_pause();
#endif
}

static uint_least64_t wait_for_job(uint_least64_t seen)
{
    double end = 0;
    for (int64_t i = 0;; i++) {
        uint_least64_t now = job_number();
        if (now != seen) return now;
        pause_long(i);
        if (i % SPINS_BETWEEN_LOOKS) continue;
        double ms = am_clock_ms();
        if (i == 0) end = ms + SPIN_MS;
        else if (ms > end) break;
    }
    pthread_mutex_lock(&pool.sleep);
    while (job_number() == seen) pthread_cond_wait(&pool.wake, &pool.sleep);
    pthread_mutex_unlock(&pool.sleep);
    return job_number();
}

/* False where the job is over. */
static bool enter(uint_least64_t number)
{
    uint_least64_t gate = atomic_load_explicit(&pool.gate, memory_order_relaxed);
    while (gate / GATE_JOB == number && gate & GATE_OPEN)
        if (atomic_compare_exchange_weak_explicit(&pool.gate, &gate, gate + 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static void *worker(void *own)
{
    uint_least64_t seen = ((const share *)own)->seen;
    int self = (int)((const share *)own - pool.shares);
    for (;;) {
        seen = wait_for_job(seen);
        if (atomic_load(&pool.stop)) return NULL;
        if (!enter(seen)) continue;
        take_slices(&pool.job, self);
        atomic_fetch_sub_explicit(&pool.gate, 1, memory_order_release);
    }
}

/* Workers see what was written before, as the gate is published with release order. */
static void announce(bool opens)
{
    pthread_mutex_lock(&pool.sleep);
    atomic_store_explicit(&pool.gate, (job_number() + 1) * GATE_JOB + (opens ? GATE_OPEN : 0), memory_order_release);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.sleep);
}

static void close_gate(void)
{
    uint_least64_t gate = atomic_load_explicit(&pool.gate, memory_order_relaxed);
    for (int64_t i = 0;; i++) {
        gate &= ~(uint_least64_t)GATE_INSIDE; /* it is closed where nobody is inside */
        if (atomic_compare_exchange_strong_explicit(&pool.gate, &gate, gate & ~(uint_least64_t)GATE_OPEN,
                                                    memory_order_acq_rel, memory_order_relaxed))
            return;
        while (gate & GATE_INSIDE) {
            pause_long(i++);
            gate = atomic_load_explicit(&pool.gate, memory_order_relaxed);
        }
    }
}

static void stop_workers(void)
{
    if (!pool.workers && !pool.shares) return;
    atomic_store(&pool.stop, true);
    announce(false);
    for (int i = 0; i < pool.worker_count; i++) pthread_join(pool.workers[i], NULL);
    atomic_store(&pool.stop, false);
    am_free(pool.workers);
    am_free_aligned(pool.shares);
    pool.workers = NULL;
    pool.shares = NULL;
    pool.worker_count = 0;
}

/* As a process's first thread has on most systems: kernels keep blocks on the stack, of which some systems give other
   threads, or all where a shell limits it (`ulimit -s`), too little. */
enum { STACK_BYTES = 8 << 20 };

static bool start_worker(pthread_t *thread, share *own)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    bool starts = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
                  pthread_create(thread, &attributes, worker, own) == 0;
    pthread_attr_destroy(&attributes);
    return starts;
}

static am_status start_workers(int count)
{
    if (count == 0) return NULL;
    pool.workers = am_alloc_zeroed((size_t)count, sizeof *pool.workers);
    pool.shares = am_alloc_aligned((size_t)(count + 1) * sizeof *pool.shares);
    if (!pool.workers || !pool.shares) {
        stop_workers();
        return am_out_of_memory();
    }
    for (pool.worker_count = 0; pool.worker_count < count; pool.worker_count++) {
        share *own = &pool.shares[pool.worker_count + 1];
        own->seen = job_number();
        if (!start_worker(&pool.workers[pool.worker_count], own)) break;
    }
    if (pool.worker_count == count) return NULL;
    stop_workers();
    return am_error(AM_OUT_OF_MEMORY, "cannot start %d threads", count);
}

am_status am_threads_set(int count)
{
    if (count < 0 || count > THREADS_LIMIT)
        return am_error(AM_INVALID_ARGUMENT, "number of threads must be between 0 and %d, found %d", THREADS_LIMIT,
                        count);
    if (count == 0) count = am_threads_available();
    pthread_mutex_lock(&pool.caller);
    am_status status = NULL;
    if (count != pool.worker_count + 1) {
        stop_workers();
        status = start_workers(count - 1);
    }
    pthread_mutex_unlock(&pool.caller);
    return status;
}

int am_threads_count(void)
{
    return pool.worker_count + 1;
}

void am_parallel_for(int64_t count, int64_t grain, am_work work, void *context)
{
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    if (inside_work || pool.worker_count == 0 || count <= grain) {
        work(context, 0, count);
        return;
    }
    pthread_mutex_lock(&pool.caller);
    pool.job = (job){.work = work, .context = context, .count = count, .grain = grain};
    cut_shares(&pool.job);
    announce(true);
    take_slices(&pool.job, 0);
    close_gate();
    pthread_mutex_unlock(&pool.caller);
}

void am_threads_shutdown(void)
{
    pthread_mutex_lock(&pool.caller);
    stop_workers();
    pthread_mutex_unlock(&pool.caller);
}
