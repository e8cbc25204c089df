"""What the hardware is and can do: device and precision, resolved once at the start and never
silently changed; its speed and its memory."""

import functools
import os
import shutil
import time
from typing import NamedTuple

import torch

from corpora.errors import require

COMPILERS = ("c++", "g++", "clang++")
PEAK_SIZE = 2048
PEAK_REPEATS = 20


class Gpu(NamedTuple):
    """From the vendor's data sheet."""

    teraflops: float  # a second, dense, in bf16
    gigabytes: float


GPUS = {
    "RTX 4090": Gpu(165, 24),
    "A100": Gpu(312, 80),
    "H100": Gpu(989, 80),
    "H200": Gpu(989, 141),
    "B200": Gpu(2250, 180),
    "L40S": Gpu(362, 48),
}


def resolve_device(wanted: str) -> str:
    """The device that was asked for; for auto cuda, mps or cpu, whichever is there first.

    Raises UserError for a device that was asked for and isn't there.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.mps.is_available(),
        "cpu": torch.cpu.is_available(),
    }
    found = [device for device, is_there in available.items() if is_there]
    require(
        wanted in ("auto", *found),
        f"DEVICE={wanted}: torch finds no such device here. Use one of auto, {', '.join(found)}.",
    )
    return found[0] if wanted == "auto" else wanted


def require_gpus(num_processes: int) -> None:
    """Raise UserError unless torch finds a GPU for each of the processes."""
    num_gpus = torch.cuda.device_count()
    require(
        num_processes <= num_gpus,
        f"GPUS={num_processes}: torch finds {num_gpus} here. DEVICE=cpu runs that many processes "
        "on the CPU instead.",
    )


def prepare_torch(deterministic: bool, compiled: bool, device: str) -> None:
    """Ask torch for deterministic algorithms, or for any; raises UserError where compiling is
    wanted and not possible."""
    if deterministic:
        # What cuBLAS asks for, to be deterministic.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    needs_compiler = device == "cpu" and compiled
    require(
        not needs_compiler or any(shutil.which(name) for name in COMPILERS),
        "pretrain.compile=true needs a C++ compiler, and there's none. Install g++, or set "
        'SET="pretrain.compile=false" (slower).',
    )


def has_bf16(device: str) -> bool:
    """Whether bf16 matrix products are quick on this device, not merely emulated."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # torch 2.13 has no public name for it.
    return device == "cpu" and torch.cpu._is_avx512_bf16_supported()


def resolve_precision(wanted: str, device: str) -> str:
    """The precision that was asked for; for auto bf16 where the hardware has it, else fp32.

    Raises UserError for a wish for bf16 that can't be met.
    """
    require(
        wanted != "bf16" or has_bf16(device),
        f"precision=bf16: this {device} has no bf16 units. Use auto or fp32.",
    )
    return "bf16" if wanted != "fp32" and has_bf16(device) else "fp32"


def autocast(device: str, precision: str) -> torch.autocast:
    """The context of a forward pass; `precision` is what resolve_precision returned."""
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bf16")


@functools.cache
def peak_flops(device: str) -> float:
    """FLOP/s that can be reached at best.

    A known GPU's data sheet, else what a 2048 x 2048 matrix product reaches, in bf16 if the
    hardware can.
    """
    if device == "cuda":
        name = torch.cuda.get_device_name()
        for known, gpu in GPUS.items():
            if known in name:
                return gpu.teraflops * 1e12
    dtype = torch.bfloat16 if has_bf16(device) else torch.float32
    matrix = torch.ones(PEAK_SIZE, PEAK_SIZE, device=device, dtype=dtype)
    product = matrix @ matrix
    product.sum().item()  # waits for a GPU
    start = time.perf_counter()
    for _ in range(PEAK_REPEATS):
        product = matrix @ matrix
    product.sum().item()
    return 2 * PEAK_SIZE**3 * PEAK_REPEATS / (time.perf_counter() - start)


def memory_of(device: str) -> float:
    """Bytes of the device, or of the machine."""
    if device == "cuda":
        return torch.cuda.get_device_properties().total_memory
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
