# What the library exports. Every kernel has one signature: its arguments as words, and the range of its work to do. It
# raises nothing, allocates nothing and starts no thread.
from common import *
from pointwise import unary, binary, select, gated_activation, cast, iota, random
from products import linear, pack_linear, matmul, matmul_reals, grouped_matmul
from rows import norm_rows, norm_groups, softmax, reduce, reduce_rows
from order import arg_reduce, scan, sort, top_k, search_sorted
from attention import attention, rope
from movement import copy, copy_rows, pad, gather, gather_elements, scatter, scatter_rows, embedding
from windows import convolution, conv_transpose, pool, unfold, fold
from recurrence import (
    recurrence_linear,
    recurrence_lstm,
    recurrence_gru,
    recurrence_selective_scan,
    recurrence_gated_delta,
    expert_routing,
)
from sampling import resize, grid_sample, fourier


@export("am_mojo_abi")
def am_mojo_abi() abi("C") -> Int64:
    return 1


@export("am_mojo_width")
def am_mojo_width() abi("C") -> Int64:
    return Int64(W)


@export("am_mojo_unary")
def am_mojo_unary(args: Args, begin: Int64, end: Int64) abi("C"):
    unary(args, Int(begin), Int(end))


@export("am_mojo_binary")
def am_mojo_binary(args: Args, begin: Int64, end: Int64) abi("C"):
    binary(args, Int(begin), Int(end))


@export("am_mojo_select")
def am_mojo_select(args: Args, begin: Int64, end: Int64) abi("C"):
    select(args, Int(begin), Int(end))


@export("am_mojo_gated_activation")
def am_mojo_gated_activation(args: Args, begin: Int64, end: Int64) abi("C"):
    gated_activation(args, Int(begin), Int(end))


@export("am_mojo_cast")
def am_mojo_cast(args: Args, begin: Int64, end: Int64) abi("C"):
    cast(args, Int(begin), Int(end))


@export("am_mojo_iota")
def am_mojo_iota(args: Args, begin: Int64, end: Int64) abi("C"):
    iota(args, Int(begin), Int(end))


@export("am_mojo_random")
def am_mojo_random(args: Args, begin: Int64, end: Int64) abi("C"):
    random(args, Int(begin), Int(end))


@export("am_mojo_linear")
def am_mojo_linear(args: Args, begin: Int64, end: Int64) abi("C"):
    linear(args, Int(begin), Int(end))


@export("am_mojo_pack_linear")
def am_mojo_pack_linear(args: Args, begin: Int64, end: Int64) abi("C"):
    pack_linear(args, Int(begin), Int(end))


@export("am_mojo_matmul")
def am_mojo_matmul(args: Args, begin: Int64, end: Int64) abi("C"):
    matmul(args, Int(begin), Int(end))


@export("am_mojo_matmul_reals")
def am_mojo_matmul_reals(args: Args, begin: Int64, end: Int64) abi("C"):
    matmul_reals(args, Int(begin), Int(end))


@export("am_mojo_grouped_matmul")
def am_mojo_grouped_matmul(args: Args, begin: Int64, end: Int64) abi("C"):
    grouped_matmul(args, Int(begin), Int(end))


@export("am_mojo_norm_rows")
def am_mojo_norm_rows(args: Args, begin: Int64, end: Int64) abi("C"):
    norm_rows(args, Int(begin), Int(end))


@export("am_mojo_norm_groups")
def am_mojo_norm_groups(args: Args, begin: Int64, end: Int64) abi("C"):
    norm_groups(args, Int(begin), Int(end))


@export("am_mojo_softmax")
def am_mojo_softmax(args: Args, begin: Int64, end: Int64) abi("C"):
    softmax(args, Int(begin), Int(end))


@export("am_mojo_reduce")
def am_mojo_reduce(args: Args, begin: Int64, end: Int64) abi("C"):
    reduce(args, Int(begin), Int(end))


@export("am_mojo_reduce_rows")
def am_mojo_reduce_rows(args: Args, begin: Int64, end: Int64) abi("C"):
    reduce_rows(args, Int(begin), Int(end))


@export("am_mojo_arg_reduce")
def am_mojo_arg_reduce(args: Args, begin: Int64, end: Int64) abi("C"):
    arg_reduce(args, Int(begin), Int(end))


@export("am_mojo_scan")
def am_mojo_scan(args: Args, begin: Int64, end: Int64) abi("C"):
    scan(args, Int(begin), Int(end))


@export("am_mojo_sort")
def am_mojo_sort(args: Args, begin: Int64, end: Int64) abi("C"):
    sort(args, Int(begin), Int(end))


@export("am_mojo_top_k")
def am_mojo_top_k(args: Args, begin: Int64, end: Int64) abi("C"):
    top_k(args, Int(begin), Int(end))


@export("am_mojo_search_sorted")
def am_mojo_search_sorted(args: Args, begin: Int64, end: Int64) abi("C"):
    search_sorted(args, Int(begin), Int(end))


@export("am_mojo_attention")
def am_mojo_attention(args: Args, begin: Int64, end: Int64) abi("C"):
    attention(args, Int(begin), Int(end))


@export("am_mojo_rope")
def am_mojo_rope(args: Args, begin: Int64, end: Int64) abi("C"):
    rope(args, Int(begin), Int(end))


@export("am_mojo_copy")
def am_mojo_copy(args: Args, begin: Int64, end: Int64) abi("C"):
    copy(args, Int(begin), Int(end))


@export("am_mojo_copy_rows")
def am_mojo_copy_rows(args: Args, begin: Int64, end: Int64) abi("C"):
    copy_rows(args, Int(begin), Int(end))


@export("am_mojo_pad")
def am_mojo_pad(args: Args, begin: Int64, end: Int64) abi("C"):
    pad(args, Int(begin), Int(end))


@export("am_mojo_gather")
def am_mojo_gather(args: Args, begin: Int64, end: Int64) abi("C"):
    gather(args, Int(begin), Int(end))


@export("am_mojo_gather_elements")
def am_mojo_gather_elements(args: Args, begin: Int64, end: Int64) abi("C"):
    gather_elements(args, Int(begin), Int(end))


@export("am_mojo_scatter")
def am_mojo_scatter(args: Args, begin: Int64, end: Int64) abi("C"):
    scatter(args, Int(begin), Int(end))


@export("am_mojo_scatter_rows")
def am_mojo_scatter_rows(args: Args, begin: Int64, end: Int64) abi("C"):
    scatter_rows(args, Int(begin), Int(end))


@export("am_mojo_embedding")
def am_mojo_embedding(args: Args, begin: Int64, end: Int64) abi("C"):
    embedding(args, Int(begin), Int(end))


@export("am_mojo_convolution")
def am_mojo_convolution(args: Args, begin: Int64, end: Int64) abi("C"):
    convolution(args, Int(begin), Int(end))


@export("am_mojo_conv_transpose")
def am_mojo_conv_transpose(args: Args, begin: Int64, end: Int64) abi("C"):
    conv_transpose(args, Int(begin), Int(end))


@export("am_mojo_pool")
def am_mojo_pool(args: Args, begin: Int64, end: Int64) abi("C"):
    pool(args, Int(begin), Int(end))


@export("am_mojo_unfold")
def am_mojo_unfold(args: Args, begin: Int64, end: Int64) abi("C"):
    unfold(args, Int(begin), Int(end))


@export("am_mojo_fold")
def am_mojo_fold(args: Args, begin: Int64, end: Int64) abi("C"):
    fold(args, Int(begin), Int(end))


@export("am_mojo_recurrence_linear")
def am_mojo_recurrence_linear(args: Args, begin: Int64, end: Int64) abi("C"):
    recurrence_linear(args, Int(begin), Int(end))


@export("am_mojo_recurrence_lstm")
def am_mojo_recurrence_lstm(args: Args, begin: Int64, end: Int64) abi("C"):
    recurrence_lstm(args, Int(begin), Int(end))


@export("am_mojo_recurrence_gru")
def am_mojo_recurrence_gru(args: Args, begin: Int64, end: Int64) abi("C"):
    recurrence_gru(args, Int(begin), Int(end))


@export("am_mojo_recurrence_selective_scan")
def am_mojo_recurrence_selective_scan(args: Args, begin: Int64, end: Int64) abi("C"):
    recurrence_selective_scan(args, Int(begin), Int(end))


@export("am_mojo_recurrence_gated_delta")
def am_mojo_recurrence_gated_delta(args: Args, begin: Int64, end: Int64) abi("C"):
    recurrence_gated_delta(args, Int(begin), Int(end))


@export("am_mojo_expert_routing")
def am_mojo_expert_routing(args: Args, begin: Int64, end: Int64) abi("C"):
    expert_routing(args, Int(begin), Int(end))


@export("am_mojo_resize")
def am_mojo_resize(args: Args, begin: Int64, end: Int64) abi("C"):
    resize(args, Int(begin), Int(end))


@export("am_mojo_grid_sample")
def am_mojo_grid_sample(args: Args, begin: Int64, end: Int64) abi("C"):
    grid_sample(args, Int(begin), Int(end))


@export("am_mojo_fourier")
def am_mojo_fourier(args: Args, begin: Int64, end: Int64) abi("C"):
    fourier(args, Int(begin), Int(end))
