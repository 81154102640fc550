"""What the engines llamacpp*.py have in common: GGUF files of models of transformers, and llama.cpp's C interface, which
the shared object in the package xllamacpp exports.

Matrices are BF16, Q8_0 or Q4_0, embeddings and the head among them (llama.cpp's own quantizer would leave the head of a
Q4_0 file in Q6_K, which takes longer to read). As its converter does, vectors, positions, routers and what is small of
a scan stay float32. A matrix whose rows are not whole blocks is BF16."""

import ctypes
import os

BLOCK = 32  # numbers that share a scale in Q8_0 and Q4_0
KEPT_F32 = {"ffn_gate_inp", "position_embd", "ssm_conv1d", "ssm_a"}
LLAMA = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "mlp.gate": "ffn_gate_inp", "mlp.experts.down_proj": "ffn_down_exps"}
GPT2 = {
    "transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm",
    "lm_head": "output", "ln_1": "attn_norm", "ln_2": "ffn_norm", "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"}
MAMBA = {
    "backbone.embeddings": "token_embd", "backbone.norm_f": "output_norm", "lm_head": "output", "norm": "attn_norm",
    "mixer.in_proj": "ssm_in", "mixer.conv1d": "ssm_conv1d", "mixer.x_proj": "ssm_x", "mixer.dt_proj": "ssm_dt",
    "mixer.A_log": "ssm_a", "mixer.D": "ssm_d", "mixer.out_proj": "ssm_out"}


# --- from transformers to GGUF ---

def llama_settings(config):
    settings = {"context_length": config.max_position_embeddings, "embedding_length": config.hidden_size,
                "block_count": config.num_hidden_layers, "feed_forward_length": config.intermediate_size,
                "head_count": config.num_attention_heads, "head_count_kv": config.num_key_value_heads,
                "layer_norm_rms_eps": config.rms_norm_eps, "rope_freq_base": config.rope_parameters["rope_theta"],
                "rope_dimension_count": config.hidden_size // config.num_attention_heads}
    if hasattr(config, "num_local_experts"):
        settings |= {"expert_count": config.num_local_experts, "expert_used_count": config.num_experts_per_tok}
    return settings


def gpt2_settings(config):
    return {"context_length": config.n_positions, "embedding_length": config.n_embd, "block_count": config.n_layer,
            "feed_forward_length": 4 * config.n_embd, "head_count": config.n_head,
            "layer_norm_eps": config.layer_norm_epsilon}


def mamba_settings(config):
    return {"context_length": 2**20, "embedding_length": config.hidden_size, "block_count": config.num_hidden_layers,
            "feed_forward_length": 0, "head_count": 0, "ssm_conv_kernel": config.conv_kernel,
            "ssm_inner_size": config.intermediate_size, "ssm_state_size": config.state_size,
            "ssm_time_step_rank": config.time_step_rank, "layer_norm_rms_eps": config.layer_norm_epsilon}


# model_type: llama.cpp's architecture, names, settings
ARCHITECTURES = {"llama": ("llama", LLAMA, llama_settings), "mixtral": ("llama", LLAMA, llama_settings),
                 "gpt2": ("gpt2", GPT2, gpt2_settings), "mamba": ("mamba", MAMBA, mamba_settings)}


def gguf_name(name, names):
    """Of a parameter: "model.layers.3.mlp.up_proj.weight" is "blk.3.ffn_up.weight"."""
    stem, dot, kind = name.rpartition(".")
    if kind not in ("weight", "bias"):
        stem, dot, kind = name, "", ""
    layer = next((part for part in stem.split(".") if part.isdigit()), None)
    if layer is None:
        return names[stem] + dot + kind
    return f"blk.{layer}.{names[stem.partition(f'.{layer}.')[2]]}" + (dot + kind if kind else weight_of(stem))


def weight_of(stem):
    """What follows the name of a parameter that is no module's weight or bias: experts lie in one, scans have none."""
    return ".weight" if ".experts." in stem else ""


def rotary_order(rows, heads):
    """The rows of a projection of queries or keys in llama.cpp's order, whose rotary embedding turns neighbours;
    transformers turns number i of a head's first half with number i of its second."""
    half = rows // heads // 2
    return [(2 * head + part) * half + i for head in range(heads) for i in range(half) for part in (0, 1)]


def is_transposed(name, value):
    """GPT-2's linear layers have [in, out]."""
    return name.startswith("transformer.h.") and value.ndim == 2


def tensors_of(model):
    """(name, float32 array) of all that a GGUF file holds."""
    import numpy

    config = model.config
    _, names, _ = ARCHITECTURES[config.model_type]
    for name, value in model.state_dict().items():
        value = value.float().numpy()
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if name.endswith("experts.gate_up_proj"):
            layer = name.split(".")[2]
            for part, half in zip(("gate", "up"), numpy.split(value, 2, axis=1)):
                yield f"blk.{layer}.ffn_{part}_exps.weight", half
            continue
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            value = value[rotary_order(len(value), heads)]
        elif name.endswith("A_log"):
            value = -numpy.exp(value)
        elif name.endswith("conv1d.weight"):
            value = value.squeeze(1)
        elif is_transposed(name, value):
            value = value.T
        yield gguf_name(name, names), numpy.ascontiguousarray(value)


def type_of(name, shape, weights):
    """The name of the type that a tensor is written in."""
    if len(shape) == 1 or KEPT_F32 & set(name.split(".")):
        return "F32"
    return weights if shape[-1] % BLOCK == 0 else "BF16"


def round_weights(model, weights):
    """Makes the parameters the numbers that a file of that type holds, whose rows have other places there."""
    import gguf
    import torch

    names = {**ARCHITECTURES[model.config.model_type][1], "mlp.experts.gate_up_proj": "ffn_gate_exps"}
    for name, parameter in model.named_parameters():
        value = parameter.data.T if is_transposed(name, parameter) else parameter.data
        kind = gguf.GGMLQuantizationType[type_of(gguf_name(name, names), value.shape, weights)]
        rounded = gguf.quants.dequantize(gguf.quants.quantize(value.contiguous().numpy(), kind), kind)
        value.copy_(torch.from_numpy(rounded))


def write_gguf(model, path, weights):
    import gguf

    architecture, _, settings_of = ARCHITECTURES[model.config.model_type]
    writer = gguf.GGUFWriter(path, architecture)
    for name, value in settings_of(model.config).items():
        getattr(writer, f"add_{name}")(value)
    writer.add_vocab_size(model.config.vocab_size)
    writer.add_tokenizer_model("none")
    for name, value in tensors_of(model):
        kind = gguf.GGMLQuantizationType[type_of(name, value.shape, weights)]
        writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def file_of(folder, weights):
    return f"{folder}/llamacpp-{weights.lower()}.gguf"


def prepare(model, case, weights):
    """One file for all cases of a model."""
    path = file_of(os.path.dirname(case), weights)
    if not os.path.exists(path):
        write_gguf(model, path, weights)


# --- llama.h, as far as it is needed ---

class Params(ctypes.Structure):
    """llama_model_params or llama_context_params, which gain fields with versions: longer than both. They are returned
    through memory of the caller's and passed on the stack, where nothing follows them."""
    _fields_ = [("n_ctx", ctypes.c_uint32), ("rest", ctypes.c_uint32 * 511)]


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", ctypes.c_int32), ("token", ctypes.POINTER(ctypes.c_int32)), ("embd", ctypes.c_void_p),
                ("pos", ctypes.POINTER(ctypes.c_int32)), ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
                ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))), ("logits", ctypes.POINTER(ctypes.c_int8))]


LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
LOG_ERROR = 4
POINTER, INT = ctypes.c_void_p, ctypes.c_int32
FUNCTIONS = {  # name: what it returns, what it takes
    "llama_backend_init": (None,),
    "llama_log_set": (None, LOG, POINTER),
    "llama_print_system_info": (ctypes.c_char_p,),
    "llama_model_default_params": (Params,),
    "llama_context_default_params": (Params,),
    "llama_model_load_from_file": (POINTER, ctypes.c_char_p, Params),
    "llama_init_from_model": (POINTER, POINTER, Params),
    "llama_set_n_threads": (None, POINTER, INT, INT),
    "llama_model_get_vocab": (POINTER, POINTER),
    "llama_vocab_n_tokens": (INT, POINTER),
    "llama_get_memory": (POINTER, POINTER),
    "llama_memory_clear": (None, POINTER, ctypes.c_bool),
    "llama_memory_seq_rm": (ctypes.c_bool, POINTER, INT, INT, INT),
    "llama_batch_init": (Batch, INT, INT, INT),
    "llama_decode": (INT, POINTER, Batch),
    "llama_get_logits_ith": (ctypes.POINTER(ctypes.c_float), POINTER, INT),
}


@LOG
def tell_errors(level, text, _):
    if level == LOG_ERROR:
        os.write(2, text)


def open_library():
    import xllamacpp.xllamacpp

    library = ctypes.CDLL(xllamacpp.xllamacpp.__file__)
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.llama_log_set(tell_errors, None)
    library.llama_backend_init()
    return library


def details():
    info = open_library().llama_print_system_info().decode().strip(" |")
    with open("/proc/cpuinfo") as file:
        unused = "avx512f" in file.read() and "AVX512" not in info
    return f"llama.cpp's build: {info}" + ("; it leaves this processor's AVX-512 unused" if unused else "")


class Context:
    """A model with room for so many tokens."""

    def __init__(self, path, tokens, threads):
        self.library = open_library()
        model = self.library.llama_model_load_from_file(path.encode(), self.library.llama_model_default_params())
        if not model:
            raise RuntimeError(f"llama.cpp does not load {path}")
        params = self.library.llama_context_default_params()
        params.n_ctx = tokens
        self.context = self.library.llama_init_from_model(model, params)
        self.library.llama_set_n_threads(self.context, threads, threads)
        self.vocab_size = self.library.llama_vocab_n_tokens(self.library.llama_model_get_vocab(model))
        self.memory = self.library.llama_get_memory(self.context)

    def batch_of(self, ids, position):
        """Tokens of one text from that position on, of which the last gives logits."""
        batch = self.library.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for i, token in enumerate(ids):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0] = token, position + i, 1, 0
            batch.logits[i] = i == len(ids) - 1
        return batch

    def decode(self, batch):
        code = self.library.llama_decode(self.context, batch)
        if code:
            raise RuntimeError(f"llama_decode returns {code}")

    def logits(self):
        import numpy

        found = self.library.llama_get_logits_ith(self.context, -1)
        return numpy.ctypeslib.as_array(found, (self.vocab_size,)).copy()

    def forget_from(self, position):
        self.library.llama_memory_seq_rm(self.memory, 0, position, -1)

    def clear(self):
        self.library.llama_memory_clear(self.memory, False)


def load(model, case, inputs, threads, weights):
    from prepare import cached_of

    ids, cached = inputs["input_ids"][0].tolist(), cached_of(case)
    context = Context(file_of(os.path.dirname(model), weights), len(ids), threads)
    rest = context.batch_of(ids[cached:], cached)
    if cached:
        context.decode(context.batch_of(ids[:cached], 0))

    def run():
        if not cached:
            context.clear()
        context.decode(rest)
        logits = context.logits()
        if cached:
            context.forget_from(cached)
        return logits

    return run


def functions_of(weights):
    """prepare, round_weights and load of the engine with weights of that type (engines/__init__.py)."""
    return (lambda model, inputs, output, case: prepare(model, case, weights),
            lambda model: round_weights(model, weights),
            lambda model, case, inputs, threads: load(model, case, inputs, threads, weights))
