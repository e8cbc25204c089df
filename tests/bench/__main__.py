"""`make bench`: speed as ratios taken in one run, in turns, because machines drift. BENCH= chooses; peers are in PEERS=.

    step       a training step of the preset's model: tokens/s, MFU, and what bit-exact resuming costs (default)
    training   pretraining beside nanoGPT's and a plain transformers loop: tokens/s, and bits per byte in so many minutes; needs the
               preset's tokens and half an hour
    corpus     the first map of the corpus stage, beside datatrove's; needs DATA=
    tokenizer  training a tokenizer and encoding the corpus, beside sentencepiece by hand; needs the preset's tokenizer
    scale      the corpus stage on ten times the text, written under OUT= (6 GB); needs DATA=
"""
import os
import sys
from pathlib import Path

from corpora.errors import UserError
from pipeline.__main__ import load_settings, parse
from tests.bench import corpus, scale, step, tokenizer, training


def main() -> None:
    arguments = parse(["settings", *sys.argv[1:]])
    chosen = os.environ.get("BENCH") or ("step corpus" if arguments.data else "step")
    peers = os.environ.get("PEERS")
    for name in chosen.split():
        if name not in ("step", "training", "corpus", "tokenizer", "scale"):
            raise UserError(f"BENCH={name}: choose among step, training, corpus, tokenizer and scale.")
        if name in ("corpus", "scale") and not arguments.data:
            raise UserError(f"BENCH={name} measures on real text: give DATA=folder.")
        if name == "step":
            step.bench(arguments, load_settings(arguments))
        elif name == "training":
            training.bench(arguments, load_settings(arguments), peers and Path(peers))
        elif name == "tokenizer":
            tokenizer.bench(arguments, load_settings(arguments))
        elif name == "corpus":
            corpus.bench(arguments.data, peers and Path(peers))
        else:
            scale.bench(arguments.data, arguments.out or Path("artifacts/scale"))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
