#include "base/memory.h"
#include "targets/cpu/kernel.h"

#include <math.h>

/* States are kept in double; `step` computes y[t] of one batch row from the states and writes the new ones.
 */
typedef struct problem {
    const am_kernel_call *call;
    int64_t B, T, y_count; /* y_count: elements of y in one step of one row */
    double *states[2];     /* of one row */
    int64_t state_counts[2];
    double *spare; /* y_count + both states */
} problem;

static double in(const problem *p, int input, int64_t i)
{
    const am_tensor *x = &p->call->inputs[input];
    return am_load_real(x->dtype, x->data, i);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* at: b * T + t, the step among all steps of all rows. */
typedef void (*step_function)(problem *p, int64_t at, double *y);

static void step_linear(problem *p, int64_t at, double *y)
{
    for (int64_t i = 0; i < p->y_count; i++)
        y[i] = p->states[0][i] = in(p, 1, at * p->y_count + i) * p->states[0][i] + in(p, 0, at * p->y_count + i);
}

/* Row `row` of the weight (input 1) times the state before this step. */
static double from_state(const problem *p, int64_t row, const double *h)
{
    double sum = 0;
    for (int64_t i = 0; i < p->y_count; i++) sum += in(p, 1, row * p->y_count + i) * h[i];
    return sum;
}

static void step_lstm(problem *p, int64_t at, double *y)
{
    int64_t H = p->y_count;
    double *h = p->states[0], *c = p->states[1];
    for (int64_t i = 0; i < H; i++) {
        double gates[4];
        for (int g = 0; g < 4; g++) gates[g] = in(p, 0, (at * 4 + g) * H + i) + from_state(p, g * H + i, h);
        c[i] = sigmoid(gates[1]) * c[i] + sigmoid(gates[0]) * tanh(gates[2]);
        y[i] = sigmoid(gates[3]) * tanh(c[i]);
    }
    for (int64_t i = 0; i < H; i++) h[i] = y[i];
}

static void step_gru(problem *p, int64_t at, double *y)
{
    int64_t H = p->y_count;
    double *h = p->states[0];
    for (int64_t i = 0; i < H; i++) {
        double x[3], u[3];
        for (int g = 0; g < 3; g++) {
            x[g] = in(p, 0, (at * 3 + g) * H + i);
            u[g] = from_state(p, g * H + i, h) + in(p, 2, g * H + i);
        }
        double keep = sigmoid(x[1] + u[1]), new = tanh(x[2] + sigmoid(x[0] + u[0]) * u[2]);
        y[i] = (1 - keep) * new + keep *h[i];
    }
    for (int64_t i = 0; i < H; i++) h[i] = y[i];
}

static void step_selective(problem *p, int64_t at, double *y)
{
    const am_shape *b_shape = &p->call->inputs[3].shape;
    int64_t D = p->y_count, N = p->call->inputs[2].shape.dims[1], G = b_shape->rank == 4 ? b_shape->dims[2] : 1;
    for (int64_t d = 0; d < D; d++) {
        double x = in(p, 0, at * D + d), delta = in(p, 1, at * D + d);
        y[d] = 0;
        for (int64_t n = 0; n < N; n++) {
            int64_t shared = (at * G + d / (D / G)) * N + n;
            double *h = &p->states[0][d * N + n];
            *h = exp(delta * in(p, 2, d * N + n)) * *h + delta * in(p, 3, shared) * x;
            y[d] += in(p, 4, shared) * *h;
        }
    }
}

/* One head: h [K, V], q, k at `qk`, v at `v`. */
static void step_delta_head(problem *p, double *h, int64_t head_at, int64_t K, int64_t V, double *y)
{
    bool by_key = p->call->inputs[3].shape.rank == 4;
    double beta = in(p, 4, head_at);
    for (int64_t i = 0; i < K; i++)
        for (int64_t j = 0; j < V; j++) h[i * V + j] *= exp(in(p, 3, by_key ? head_at * K + i : head_at));
    for (int64_t j = 0; j < V; j++) {
        double known = 0;
        for (int64_t i = 0; i < K; i++) known += in(p, 1, head_at * K + i) * h[i * V + j];
        double delta = beta * (in(p, 2, head_at * V + j) - known);
        y[j] = 0;
        for (int64_t i = 0; i < K; i++) {
            h[i * V + j] += in(p, 1, head_at * K + i) * delta;
            y[j] += in(p, 0, head_at * K + i) * h[i * V + j];
        }
    }
}

static void step_delta(problem *p, int64_t at, double *y)
{
    const am_shape *h0 = &p->call->inputs[5].shape;
    int64_t H = h0->dims[1], K = h0->dims[2], V = h0->dims[3];
    for (int64_t h = 0; h < H; h++) step_delta_head(p, p->states[0] + h * K * V, at * H + h, K, V, y + h * V);
}

static const step_function steps[] = {
    [AM_RECURRENCE_LINEAR] = step_linear,     [AM_RECURRENCE_LSTM] = step_lstm,
    [AM_RECURRENCE_GRU] = step_gru,           [AM_RECURRENCE_SELECTIVE_SCAN] = step_selective,
    [AM_RECURRENCE_GATED_DELTA] = step_delta,
};

static void run_row(problem *p, int64_t b)
{
    const am_recurrence_attributes *a = AM_ATTRIBUTES(am_recurrence_attributes, p->call);
    const am_tensor *outputs = p->call->outputs;
    int state_count = p->call->output_count - 1, first_state = p->call->input_count - state_count;
    for (int s = 0; s < state_count; s++)
        for (int64_t i = 0; i < p->state_counts[s]; i++)
            p->states[s][i] = in(p, first_state + s, b * p->state_counts[s] + i);
    for (int64_t t = 0; t < p->T; t++) {
        int64_t at = b * p->T + (a->reverse ? p->T - 1 - t : t);
        steps[a->kind](p, at, p->spare);
        for (int64_t i = 0; i < p->y_count; i++)
            am_store_real(outputs[0].dtype, outputs[0].data, at * p->y_count + i, p->spare[i]);
    }
    for (int s = 0; s < state_count; s++)
        for (int64_t i = 0; i < p->state_counts[s]; i++)
            am_store_real(outputs[1 + s].dtype, outputs[1 + s].data, b * p->state_counts[s] + i, p->states[s][i]);
}

am_status am_reference_recurrence(const am_kernel_call *call)
{
    const am_shape *y = &call->outputs[0].shape;
    problem p = {.call = call, .B = y->dims[0], .T = y->dims[1], .y_count = 1};
    for (int i = 2; i < y->rank; i++) p.y_count *= y->dims[i];
    for (int s = 0; s < call->output_count - 1; s++) {
        p.state_counts[s] = 1;
        for (int i = 1; i < call->outputs[1 + s].shape.rank; i++)
            p.state_counts[s] *= call->outputs[1 + s].shape.dims[i];
    }
    p.spare = am_alloc_zeroed((size_t)(p.y_count + p.state_counts[0] + p.state_counts[1]), sizeof *p.spare);
    if (!p.spare) return am_out_of_memory();
    p.states[0] = p.spare + p.y_count;
    p.states[1] = p.states[0] + p.state_counts[0];
    for (int64_t b = 0; b < p.B; b++) run_row(&p, b);
    am_free(p.spare);
    return NULL;
}
