# What the library exports. Every kernel has one signature: its arguments as words, and the range of its work to do. It
# raises nothing, allocates nothing and starts no thread.
from common import *
from pointwise import unary, binary, select, gated_activation, cast, iota, random
from products import linear, matmul, grouped_matmul


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


@export("am_mojo_matmul")
def am_mojo_matmul(args: Args, begin: Int64, end: Int64) abi("C"):
    matmul(args, Int(begin), Int(end))


@export("am_mojo_grouped_matmul")
def am_mojo_grouped_matmul(args: Args, begin: Int64, end: Int64) abi("C"):
    grouped_matmul(args, Int(begin), Int(end))
