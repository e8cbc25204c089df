"""What the hardware can do: device and precision, resolved once at the start and never silently changed."""
import torch

from corpora import UserError


def resolve_device(wanted: str) -> str:
    """auto -> cuda, mps or cpu, whichever is there first; a device that was asked for and isn't there is an error."""
    found = [device for device, is_there in (("cuda", torch.cuda.is_available()),
                                             ("mps", torch.backends.mps.is_available()), ("cpu", True)) if is_there]
    if wanted not in ("auto", *found):
        raise UserError(f"DEVICE={wanted}: torch finds no such device here. Use one of auto, {', '.join(found)}.")
    return found[0] if wanted == "auto" else wanted


def has_bf16(device: str) -> bool:
    """Whether bf16 matrix products are quick on this device, not merely emulated."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and torch.cpu._is_avx512_bf16_supported()


def resolve_precision(wanted: str, device: str) -> str:
    """auto -> bf16 where the hardware has it, else fp32; a wish for bf16 that can't be met is an error."""
    if wanted == "bf16" and not has_bf16(device):
        raise UserError(f"precision=bf16: this {device} has no bf16 units. Use auto or fp32.")
    return "bf16" if wanted != "fp32" and has_bf16(device) else "fp32"


def autocast(device: str, precision: str) -> torch.autocast:
    """The context of a forward pass; `precision` is what resolve_precision returned."""
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bf16")
