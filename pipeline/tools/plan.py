"""`make plan`: what a preset's pretraining will cost, before anything is started. Arithmetic after PaLM (Chowdhery et
al., 2022, appendix B): 6 FLOPs a parameter and token, and 12 L T d for attention."""
import time

# Dense bf16 TFLOP/s from the vendors' data sheets, and GB of memory.
GPUS = {"RTX 4090": (165, 24), "A100": (312, 80), "H100": (989, 80), "H200": (989, 141)}
UTILISATION = 0.4  # what llm.c reaches with the 124M model on an H100


def run(arguments, preset) -> None:
    pretrain, vocabulary = preset["pretrain"], preset["tokenizer"].vocab_size
    width, layers = pretrain.width, pretrain.layers
    blocks = layers * (12 * width * width + 13 * width)
    parameters = blocks + (vocabulary + pretrain.context + 2) * width
    tokens = pretrain.steps * pretrain.batch_size * pretrain.context
    flops_a_token = 6 * (blocks + vocabulary * width) + 12 * layers * pretrain.context * width
    total = flops_a_token * tokens
    state = parameters * 16 / 1e9  # fp32 weights, gradients, and two moments
    logits = pretrain.micro_batch_size * pretrain.context * vocabulary * 6 / 1e9  # bf16 once, fp32 once
    activations = pretrain.micro_batch_size * pretrain.context * width * layers * 34 / 1e9
    print(f"preset {preset.name}: {layers} layers, width {width}, context {pretrain.context}, {vocabulary:,} pieces")
    print(f"  parameters        {parameters / 1e6:,.1f}M")
    print(f"  training tokens   {tokens / 1e6:,.0f}M in {pretrain.steps:,} steps ({tokens / parameters:.1f} a parameter)")
    print(f"  text needed       about {tokens * 4.5 / 1e9:,.1f} GB for one epoch, at 4.5 bytes a token")
    print(f"  compute           {total:.2e} FLOPs ({flops_a_token / 1e6:,.0f} MFLOPs a token)")
    print(f"  memory            about {state + logits + activations:,.1f} GB (state {state:,.1f}, logits {logits:,.1f}, "
          f"activations {activations:,.1f})")
    print(f"  time at {UTILISATION:.0%} of the data sheet's bf16 rate:")
    for name, (teraflops, memory) in GPUS.items():
        fits = "" if state + logits + activations < memory else "   (doesn't fit: lower pretrain.micro_batch_size)"
        print(f"    one {name:<10} {duration(total / (teraflops * 1e12 * UTILISATION))}{fits}")
    device, rate = measure_matrix_rate(arguments.device)
    print(f"  on this machine's {device}, at {UTILISATION:.0%} of the {rate / 1e12:.2f} TFLOP/s that a matrix product "
          f"reaches here: {duration(total / (rate * UTILISATION))}")


def measure_matrix_rate(wanted: str) -> tuple[str, float]:
    """FLOP/s of a product of two 2048 x 2048 matrices, in bf16 where the hardware has it."""
    import torch

    from pipeline.training.device import has_bf16, resolve_device
    device = resolve_device(wanted)
    matrix = torch.ones(2048, 2048, device=device, dtype=torch.bfloat16 if has_bf16(device) else torch.float32)
    (matrix @ matrix).sum().item()
    start, repeats = time.perf_counter(), 20
    for _ in range(repeats):
        product = matrix @ matrix
    product.sum().item()
    return device, 2 * 2048 ** 3 * repeats / (time.perf_counter() - start)


def duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} seconds"
