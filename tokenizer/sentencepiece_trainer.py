"""SentencePiece's trainer with what is the same in every run: no text is lost, and the same lines
give the same bytes. What is trained with it is in train.py and superwords.py."""

import io
from typing import Any, Final, TypeAlias

from sentencepiece import SentencePieceTrainer, sentencepiece_model_pb2

from tokenizer.morphemes import DELIMITER

ModelMessage: TypeAlias = Any
"""A sentencepiece.model as a protobuf message. Its class is made at import, so it has no type."""

NUM_THREADS: Final = {"bpe": 2, "unigram": 4}
"""By model type. Pinned, because model bytes embed it and unigram scores depend on it; BPE hardly
gains from more."""


def run_trainer(model_type: str, **options: Any) -> ModelMessage:
    """Train on what `options`, SentencePiece's own, name; raises what SentencePiece raises."""
    trained = io.BytesIO()
    SentencePieceTrainer.train(
        model_writer=trained,
        model_type=model_type,
        num_threads=NUM_THREADS[model_type],
        minloglevel=2,
        pretokenization_delimiter=DELIMITER,
        # Lossless: the text is NFC already, and every space counts.
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        **options,
    )
    return parse_model(trained.getvalue())


def parse_model(data: bytes) -> ModelMessage:
    """The message in the bytes of a sentencepiece.model."""
    # By name, because protobuf makes the class at import, where pyright can't see it.
    return vars(sentencepiece_model_pb2)["ModelProto"].FromString(data)
