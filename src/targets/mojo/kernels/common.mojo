# What all kernels share: the words that C passes, vectors of floats, dtypes by their number in C.
from std.memory import Pointer, bitcast
from std.sys import simd_width_of
from std.collections import Array

comptime F32 = DType.float32
comptime F64 = DType.float64
comptime I32 = DType.int32
comptime I64 = DType.int64
comptime W = simd_width_of[F32]()
comptime P[dt: DType] = Pointer[Scalar[dt], MutAnyOrigin]
comptime V[w: SIMDLength] = SIMD[F32, w]

# A kernel's arguments: words of 64 bits holding addresses, integers or the bits of doubles.
comptime Args = Pointer[Int64, MutAnyOrigin]

comptime RANK_LIMIT = 9
comptime INFINITE = Float64(1e308) * Float64(10)
comptime LOWEST = Float32(-3.4028234663852886e38)


@always_inline
def address[dt: DType](args: Args, i: Int) -> P[dt]:
    return P[dt](unsafe_from_address=Int(args.unsafe_load(i)))


@always_inline
def is_null(args: Args, i: Int) -> Bool:
    return args.unsafe_load(i) == 0


@always_inline
def integer(args: Args, i: Int) -> Int:
    return Int(args.unsafe_load(i))


@always_inline
def real(args: Args, i: Int) -> Float64:
    return bitcast[F64, 1](args.unsafe_load(i))


# The order of am_dtype, without the types of eight bits.
comptime DTYPE_COUNT = 12


def is_known(k: Int) -> Bool:
    return k != 4 and k != 5


def dtype_of(k: Int) -> DType:
    if k == 0:
        return DType.float64
    if k == 2:
        return DType.float16
    if k == 3:
        return DType.bfloat16
    if k == 6:
        return DType.int64
    if k == 7:
        return DType.int32
    if k == 8:
        return DType.int16
    if k == 9:
        return DType.int8
    if k == 10 or k == 11:
        return DType.uint8
    return DType.float32


comptime BOOL = 11


def is_float(k: Int) -> Bool:
    return k <= 5


# Loads through doubles, and stores rounded to single precision before they are rounded to half.
@always_inline
def load_real[dt: DType](x: P[dt], i: Int) -> Float64:
    return x.unsafe_load(i).cast[F64]()


@always_inline
def store_real[dt: DType](y: P[dt], i: Int, value: Float64):
    comptime if dt == F64 or dt == F32:
        y.unsafe_store(i, value.cast[dt]())
    else:
        y.unsafe_store(i, value.cast[F32]().cast[dt]())


# A dense result whose operands are read with strides: rows of `inner` elements, as am_strided of the cpu kernels.
# Words: rank, operands, inner, dims, then for each operand its step and its strides.
comptime STRIDED_OPERANDS = 3


struct Strided:
    var words: Int
    var rank: Int
    var operands: Int
    var inner: Int
    var index: Array[Int, RANK_LIMIT]
    var offset: Array[Int, STRIDED_OPERANDS]

    def __init__(out self, args: Args, at: Int, row: Int):
        self.words = integer(args, at)
        var words = Args(unsafe_from_address=self.words)
        self.rank = integer(words, 0)
        self.operands = integer(words, 1)
        self.inner = integer(words, 2)
        self.index = Array[Int, RANK_LIMIT](fill=0)
        self.offset = Array[Int, STRIDED_OPERANDS](fill=0)
        var rest = row
        for d in range(self.rank):
            var i = self.rank - 1 - d
            var size = self.dim(i)
            self.index[i] = rest % size
            rest //= size
            for k in range(self.operands):
                self.offset[k] += self.index[i] * self.stride(k, i)

    @always_inline
    def word(self, i: Int) -> Int:
        return Int(Args(unsafe_from_address=self.words).unsafe_load(i))

    @always_inline
    def dim(self, i: Int) -> Int:
        return self.word(3 + i)

    @always_inline
    def step(self, k: Int) -> Int:
        return self.word(3 + RANK_LIMIT + k * (RANK_LIMIT + 1))

    @always_inline
    def stride(self, k: Int, i: Int) -> Int:
        return self.word(4 + RANK_LIMIT + k * (RANK_LIMIT + 1) + i)

    def advance(mut self):
        for d in range(self.rank):
            var i = self.rank - 1 - d
            self.index[i] += 1
            var carry = self.index[i] == self.dim(i)
            for k in range(self.operands):
                self.offset[k] += self.stride(k, i) * ((1 - self.dim(i)) if carry else 1)
            if not carry:
                return
            self.index[i] = 0
