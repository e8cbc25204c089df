"""Drawing the sample, cutting it into lines, and training."""
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from konlpy.corpus import kolaw
from sentencepiece import SentencePieceProcessor

from corpora.errors import UserError
from tests.tiny_tokenizer import train
from tokenizer.morphemes import DELIMITER
from tokenizer.train import ALWAYS_PIECES, MAX_LINE, SPECIAL_TOKENS, draw_sample, training_lines

CONSTITUTION = Path(kolaw.abspath("constitution.txt")).read_text(encoding="utf-8")
ARTICLES = [line for line in CONSTITUTION.split("\n") if line.strip()]


def test_the_sample_depends_on_the_seed_and_not_on_the_order_of_the_documents():
    documents = [f"문서 {number} " + "글" * (number % 50) for number in range(2000)]
    shuffled = random.Random(3).sample(documents, len(documents))
    drawn = draw_sample(documents, 20_000, seed=1)
    assert drawn == draw_sample(iter(shuffled), 20_000, seed=1)
    assert set(drawn) != set(draw_sample(documents, 20_000, seed=2))


def test_the_sample_is_the_least_number_of_whole_documents_that_holds_the_bytes():
    documents = [f"문서 {number} " + "글" * (number % 50) for number in range(2000)]
    drawn = draw_sample(documents, 20_000, seed=1)
    sizes = [len(text.encode()) for text in drawn]
    assert set(drawn) <= set(documents) and len(drawn) == len(set(drawn))
    assert sum(sizes) >= 20_000 > sum(sizes[:-1])


def test_a_sample_larger_than_the_text_is_all_of_it_once():
    assert sorted(draw_sample(["나", "가", "다"], 10**9, seed=1)) == ["가", "나", "다"]


def test_long_lines_are_cut_at_a_space_and_none_of_their_text_is_lost():
    text = "가나다 " * 5000 + "\n" + "라" * 10_000
    lines = list(training_lines([text]))
    assert "".join(lines) == text.replace("\n", "")
    assert max(map(len, lines)) <= MAX_LINE
    assert all(line.startswith((" ", "라")) for line in lines[1:])


def test_no_line_holds_what_the_trainer_takes_for_a_mark_of_its_own():
    lines = list(training_lines([f"가\t나\n다\0라{DELIMITER}마\u2585바\n\n"]))
    assert lines == ["가", "나", "다", "라", "마", "바"]


def test_special_tokens_have_the_first_ids_and_the_vocabulary_the_size_asked_for():
    processor = SentencePieceProcessor(model_proto=train(ARTICLES))
    assert [processor.id_to_piece(index) for index in range(109)] == list(SPECIAL_TOKENS)
    assert (processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id()) == (0, 1, 2, 3)
    assert len(processor) == 1024


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_newline_tab_and_ascii_are_single_pieces_even_if_the_text_lacks_them(model_type):
    processor = SentencePieceProcessor(model_proto=train(ARTICLES, model_type=model_type))
    assert [character for character in ALWAYS_PIECES if len(processor.encode(character)) != 1] == []
    assert not any(processor.is_byte(index) for index in processor.encode(ALWAYS_PIECES))


@pytest.mark.parametrize("model_type, vocab_size, superwords", [("bpe", 1024, 0), ("bpe", 1024, 128), ("unigram", 896, 0)])
def test_the_same_text_gives_the_same_model_in_another_process(model_type, vocab_size, superwords):
    script = ("import json, sys; from tests.tiny_tokenizer import train; documents = json.load(sys.stdin);"
              f"model = train(documents, '{model_type}', {vocab_size}, 'mecab', workers=2, superwords={superwords});"
              "sys.stdout.buffer.write(model)")
    done = subprocess.run([sys.executable, "-c", script], input=json.dumps(ARTICLES).encode(), stdout=subprocess.PIPE,
                          check=True, timeout=60)
    here = train(ARTICLES, model_type=model_type, vocab_size=vocab_size, morphemes="mecab", superwords=superwords)
    assert here == done.stdout


def test_morphemes_keep_a_noun_and_its_particle_in_separate_pieces():
    def pieces(morphemes):
        processor = SentencePieceProcessor(model_proto=train(ARTICLES, morphemes=morphemes))
        return [processor.id_to_piece(index) for index in range(len(processor))]

    assert any("국민은" in piece for piece in pieces("none"))
    assert not any("국민은" in piece or DELIMITER in piece for piece in pieces("mecab"))
    assert "▁국민" in pieces("mecab")


def test_a_vocabulary_larger_than_the_text_allows_names_the_largest_that_works():
    with pytest.raises(UserError, match="largest that works is") as caught:
        train(ARTICLES, vocab_size=65_536)
    largest = int(str(caught.value).split("largest that works is ")[1].split(".")[0])
    assert len(SentencePieceProcessor(model_proto=train(ARTICLES, vocab_size=largest))) == largest
    with pytest.raises(UserError, match=f"largest that works is {largest}"):
        train(ARTICLES, vocab_size=largest + 128)


def test_a_vocabulary_smaller_than_the_alphabet_names_the_smallest_that_works():
    with pytest.raises(UserError, match="smallest that works is") as caught:
        train(ARTICLES, vocab_size=384)
    smallest = int(str(caught.value).split("smallest that works is ")[1].split(".")[0])
    assert len(SentencePieceProcessor(model_proto=train(ARTICLES, vocab_size=smallest))) == smallest


@pytest.mark.parametrize("documents, message", [
    ([], "no Hangul.* 0 documents"), ([" \n", ""], "no Hangul"),
    (["plain English", "大韓民國"], "no Hangul.*'plain English'"),
])
def test_text_without_hangul_is_refused(documents, message):
    with pytest.raises(UserError, match=message):
        train(documents)


def test_superwords_cross_spaces_after_the_words_are_learnt():
    without = SentencePieceProcessor(model_proto=train(ARTICLES, vocab_size=896))
    with_them = SentencePieceProcessor(model_proto=train(ARTICLES, vocab_size=1024, superwords=128))
    assert [with_them.id_to_piece(index) for index in range(896)] == [without.id_to_piece(index) for index in range(896)]
    added = [with_them.id_to_piece(index) for index in range(896, 1024)]
    assert len(with_them) == 1024 and len(set(added)) == 128
    assert any("\u2581" in piece[1:] for piece in added)
    assert sum(map(len, with_them.encode(ARTICLES))) < 0.9 * sum(map(len, without.encode(ARTICLES)))
    assert with_them.decode(with_them.encode(ARTICLES)) == ARTICLES


def test_superwords_cross_morphemes():
    processor = SentencePieceProcessor(model_proto=train(ARTICLES, morphemes="mecab", superwords=128))
    assert any("법률이" in processor.id_to_piece(index) for index in range(896, 1024))


def test_superwords_that_are_too_many_for_the_text_are_refused():
    with pytest.raises(UserError, match=r"superwords=1024: too many for this text, the most are \d+"):
        train(ARTICLES[:5], vocab_size=1664, superwords=1024)
