"""The exported folder, opened as anybody would open it."""

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer
from transformers import AutoTokenizer, GPT2Config, PreTrainedTokenizerFast

from tests.tiny_tokenizer import ARTICLES, train_on_articles
from tokenizer.export import BASIC_TOKENS, export
from tokenizer.quality.encoders import open_encoders
from tokenizer.quality.gate import NASTY_STRINGS, find_problem
from tokenizer.special_tokens import SPECIAL_TOKENS

MODELS = {
    "bpe": {},
    "bpe with superwords": {"morphemes": "mecab", "superwords": 128},
    "unigram": {"model_type": "unigram"},
}
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\u2581"))
PITFALLS = st.sampled_from(SPECIAL_TOKENS + NASTY_STRINGS)
FEW_CHARACTERS = st.text("가각국민은ㅋㅎᄒᆞᆫ \n\t<>s/0x")
TEXTS = st.lists(ANY_TEXT | PITFALLS | FEW_CHARACTERS, max_size=6).map("".join)


@pytest.fixture(scope="module", params=MODELS)
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    export(train_on_articles(**MODELS[request.param]), folder)
    return folder


@pytest.fixture(scope="module")
def encoders(folder):
    return open_encoders(folder)


@pytest.fixture(scope="module", params=["as exported", "saved again", "beside a GPT-2 config"])
def tokenizer(request, folder, tmp_path_factory):
    loaded = AutoTokenizer.from_pretrained(str(folder))
    if request.param == "as exported":
        return loaded
    copy = tmp_path_factory.mktemp("copy")
    loaded.save_pretrained(copy)
    if request.param == "beside a GPT-2 config":
        GPT2Config().save_pretrained(copy)
    return AutoTokenizer.from_pretrained(str(copy))


def test_ids_and_text_are_sentencepieces(folder, tokenizer):
    processor = SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
    for raw in (*NASTY_STRINGS, *ARTICLES, "\n\n".join(ARTICLES)):
        text = unicodedata.normalize("NFC", raw)
        ids = tokenizer(text)["input_ids"]
        assert ids == processor.encode(text)
        assert tokenizer.decode(ids) == text


def test_special_tokens_have_their_ids_and_nothing_is_added(tokenizer):
    assert isinstance(tokenizer, PreTrainedTokenizerFast)
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)) == list(range(109))
    assert tokenizer.pad_token_id == 0
    assert tokenizer.unk_token_id == 1
    assert tokenizer.bos_token_id == tokenizer.eos_token_id == 3
    assert tokenizer.sep_token_id == 4
    assert sorted(tokenizer.all_special_ids) == list(range(109))
    assert len(tokenizer) == tokenizer.vocab_size == 1024
    assert tokenizer("")["input_ids"] == []


def test_text_that_looks_like_special_tokens_stays_text(tokenizer):
    for token in SPECIAL_TOKENS:
        ids = tokenizer(f"글{token} 뒤")["input_ids"]
        assert min(ids) >= 109
        assert tokenizer.decode(ids) == f"글{token} 뒤"


def test_bare_tokenizers_keep_it_as_text_where_they_are_told_to(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    for token in SPECIAL_TOKENS:
        ids = tokenizer.encode(f"글{token} 뒤").ids
        assert min(ids) >= 109
        assert tokenizer.decode(ids) == f"글{token} 뒤"


def test_bare_tokenizers_take_the_four_basic_ones_for_special_unless_told(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    became_special = [token for token in SPECIAL_TOKENS if len(tokenizer.encode(token).ids) == 1]
    assert became_special == list(BASIC_TOKENS)


def test_bare_tokenizers_leave_special_tokens_out_of_decoded_text(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = [3, *tokenizer.encode(" 글").ids, 3, 0]
    assert tokenizer.decode(ids) == " 글"


def test_the_end_token_can_be_written_as_text_by_whoever_asks_for_it(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder, split_special_tokens=False)
    assert tokenizer(f" 글{tokenizer.eos_token}")["input_ids"][-1] == 3


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_every_text_of_unicode_comes_back_with_the_same_ids_from_every_library(encoders, text):
    assert find_problem(text, encoders) is None


DECOMPOSED = (
    *(unicodedata.normalize("NFD", line) for line in ARTICLES),
    unicodedata.normalize("NFD", "Tiếng Việt, São Paulo, Ångström, がぎぐパピプ"),
    "\u1100\u1161 \u1100\u1161\u11a8 \uac00\u11a8 \u1112\u119e\u11ab",
    "\uf981\u2126\u0344 a\u0327\u0301 x\u0301\u0323",
)


def test_decomposed_text_gets_the_ids_of_composed_text(folder, tokenizer):
    bare = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in DECOMPOSED:
        composed = unicodedata.normalize("NFC", text)
        ids = tokenizer(composed)["input_ids"]
        assert composed != text
        assert tokenizer(text)["input_ids"] == ids
        assert bare.encode(text).ids == ids
        assert tokenizer.decode(ids) == composed


@given(text=st.text("aeoA가각각ᆞかハ\u0301\u0323\u0327\u0338\u0344\u302e\u3099", max_size=12))
def test_marks_in_any_order_get_the_ids_of_composed_text(encoders, text):
    composed = unicodedata.normalize("NFC", text)
    for encoder in encoders[1:]:
        assert encoder.encode(text) == encoder.encode(composed)


def test_special_tokens_can_be_left_out_of_decoded_text(tokenizer):
    ids = [2, *tokenizer(" 글")["input_ids"], 3, 0]
    assert tokenizer.decode(ids, skip_special_tokens=True) == " 글"
    assert tokenizer.decode(ids) == "<s> 글</s><pad>"


def test_a_model_gets_no_token_types(tokenizer):
    assert set(tokenizer("글")) == {"input_ids", "attention_mask"}


def test_pieces_thrown_together_get_the_same_ids(folder):
    processor = SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    pieces = [processor.decode([index]) for index in range(365, len(processor))]
    generator = random.Random(1)
    for _ in range(3000):
        text = "".join(generator.choices(pieces, k=3)) * generator.randint(1, 6)
        assert tokenizer.encode(text).ids == processor.encode(text), text
