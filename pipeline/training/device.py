"""What the hardware is and can do: device and precision, resolved once at the start and never
silently changed; its speed and its memory."""

import os
import shutil
import sys
from typing import Any, NamedTuple

import torch

from corpora.errors import require

COMPILERS = {
    "cpu": ("CXX", ("clang++" if sys.platform == "darwin" else "g++",)),
    "cuda": ("CC", ("gcc", "clang")),
}
"""What compiling needs: the variable that names the compiler, and what is looked for without it
(torch/_inductor/config.py; Triton's runtime/build.py)."""


class Gpu(NamedTuple):
    """From the vendor's data sheet."""

    teraflops: float  # a second, dense, in bf16 with sums in fp32
    gigabytes: float
    names: tuple[str, ...]  # torch's


GPUS = {
    "RTX 4090": Gpu(165, 24, ("NVIDIA GeForce RTX 4090",)),
    "A100": Gpu(
        312,
        80,
        (
            "NVIDIA A100-SXM4-40GB",
            "NVIDIA A100-SXM4-80GB",
            "NVIDIA A100-PCIE-40GB",
            "NVIDIA A100 80GB PCIe",
        ),
    ),
    "H100": Gpu(989, 80, ("NVIDIA H100 80GB HBM3",)),
    "H100 PCIe": Gpu(756, 80, ("NVIDIA H100 PCIe",)),
    "H100 NVL": Gpu(835, 94, ("NVIDIA H100 NVL",)),
    "H200": Gpu(989, 141, ("NVIDIA H200",)),
    "H200 NVL": Gpu(835, 141, ("NVIDIA H200 NVL",)),
    "B200": Gpu(2250, 180, ("NVIDIA B200",)),
    "L40S": Gpu(362, 48, ("NVIDIA L40S",)),
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
    """Ask torch for deterministic algorithms, or for any, and on CUDA for TF32 in fp32's matrix
    products; raises UserError where compiling is wanted and not possible."""
    if deterministic:
        # What cuBLAS asks for, to be deterministic.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    # Filling new tensors only makes a read of what was never written show, and takes time.
    module: Any = torch.utils.deterministic  # whose class has the property
    module.fill_uninitialized_memory = False
    if device == "cuda":
        torch.set_float32_matmul_precision("high")
    if compiled:
        require_compiler(device)


def require_compiler(device: str) -> None:
    """Raise UserError where torch.compile would find no compiler for this device."""
    if device not in COMPILERS:  # MPS compiles by itself
        return
    variable, usual_names = COMPILERS[device]
    named = os.environ.get(variable)
    require(
        any(shutil.which(name) for name in ([named] if named else usual_names)),
        f"pretrain.compile=true on {device}: {named or ' or '.join(usual_names)} isn't there. "
        f"Install {usual_names[0]}, name a compiler in {variable}, or set "
        'SET="pretrain.compile=false" (slower).',
    )


def copy_to(ids_BT: torch.Tensor, device: str) -> torch.Tensor:
    """Ids from the CPU on a device; out of pinned memory a GPU takes them while the CPU goes on."""
    if device == "cuda":
        return ids_BT.pin_memory().to(device, non_blocking=True)
    return ids_BT.to(device)


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


def peak_flops(device: str) -> float | None:
    """FLOP/s of this GPU by its data sheet; None for one that isn't known by exactly this name,
    and for what isn't a GPU: a peak that is measured depends on what else runs."""
    if device != "cuda":
        return None
    name = torch.cuda.get_device_name()
    peaks = [gpu.teraflops * 1e12 for gpu in GPUS.values() if name in gpu.names]
    return peaks[0] if peaks else None


def memory_of(device: str) -> float:
    """Bytes of the device, or of the machine."""
    if device == "cuda":
        return torch.cuda.get_device_properties().total_memory
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
