"""What the engines that compute in bfloat16 have in common."""

# Of the largest number of an output: bfloat16 has 8 bits, and a network's layers add up what they lose.
TOLERANCE = 0.2
FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def reason_against(build):
    """None where the processor computes in bfloat16; else engines would emulate it or take float32 unasked."""
    with open("/proc/cpuinfo") as file:
        words = set(file.read().split())
    return None if words & FLAGS else "no bf16 on this machine"
