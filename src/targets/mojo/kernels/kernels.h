/* How graph nodes become calls of Mojo kernels: one table a group of ops, in the C file beside the group's .mojo. */
#ifndef AM_TARGETS_MOJO_KERNELS_KERNELS_H
#define AM_TARGETS_MOJO_KERNELS_KERNELS_H

#include "base/threads.h"
#include "targets/cpu/kernel.h"
#include "targets/cpu/kernels/strided.h"
#include "targets/mojo/library.h"

typedef struct am_mojo_kernel {
    am_kernel kernel; /* its `supports` is null: `refuses` says it, with the reason */
    /* Why a node of the op is not computed by this kernel, a static string; null: it is. A null function: never. */
    const char *(*refuses)(const am_graph *graph, const am_node *node);
} am_mojo_kernel;

/* Each ends with null. */
extern const am_mojo_kernel *const am_mojo_pointwise[],
    *const am_mojo_products[], *const am_mojo_rows[], *const am_mojo_attention[], *const am_mojo_movement[],
                                                                                      *const am_mojo_windows[],
                                                                                          *const am_mojo_recurrence[],
                                                                                              *const am_mojo_sampling[];

/* --- for the tables --- */

/* The words of one argument. */
int64_t am_mojo_address(const void *data);
int64_t am_mojo_real(double value);

/* Runs a kernel over `count` items on all threads, about `grain` of them at a time. */
void am_mojo_launch(am_mojo_function function, const int64_t *args, int64_t count, int64_t grain);

/* What a kernel reads of am_strided: rank, operands, inner, dims, and each operand's step and strides. */
enum { AM_MOJO_STRIDED_WORDS = 3 + (AM_RANK_LIMIT + 1) + AM_STRIDED_OPERANDS * (AM_RANK_LIMIT + 2) };
void am_mojo_strided(const am_strided *s, int64_t words[AM_MOJO_STRIDED_WORDS]);

/* Reasons: of the dtype of any present input or output. */
const char *am_mojo_refuses_f8(const am_graph *graph, const am_node *node);
const char *am_mojo_refuses_all_but_f32(const am_graph *graph, const am_node *node);
const char *am_mojo_refuses_f8_and_integers(const am_graph *graph, const am_node *node);

#endif
