"""Hidden words: whole ones, as many as wanted, the same again from the same seed."""

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from pipeline.models.masking import (
    IGNORED,
    MASK_TOKEN,
    Vocabulary,
    hide_words,
    read_vocabulary,
    unpack,
)
from pipeline.training.batches import Hiding, shorten

SIZE = 60
END = 3
BEGINS = np.arange(SIZE) % 3 == 0
IS_TEXT = np.arange(SIZE) > 9
VOCABULARY = Vocabulary(BEGINS, IS_TEXT, mask_token_id=7)


def draw_ids(rows=8, length=400) -> torch.Tensor:
    ids_BT = torch.randint(10, SIZE, (rows, length), generator=torch.Generator().manual_seed(0))
    ids_BT[:, ::50] = END
    return ids_BT


def hide(ids_BT, rate=0.3, seed=1) -> tuple[torch.Tensor, torch.Tensor]:
    return unpack(hide_words(ids_BT, VOCABULARY, rate, [[seed, row] for row in range(len(ids_BT))]))


def test_what_is_hidden_is_the_target_and_nothing_else():
    ids_BT = draw_ids()
    inputs_BT, targets_BT = hide(ids_BT)
    is_hidden_BT = targets_BT != IGNORED
    assert torch.equal(targets_BT[is_hidden_BT], ids_BT[is_hidden_BT])
    assert torch.equal(inputs_BT[~is_hidden_BT], ids_BT[~is_hidden_BT])
    assert 0.25 < is_hidden_BT.float().mean() < 0.33
    assert not is_hidden_BT[ids_BT == END].any()


def test_of_the_hidden_most_are_masked_and_some_stay_or_become_others():
    ids_BT = draw_ids(64)
    inputs_BT, targets_BT = hide(ids_BT)
    is_hidden_BT = targets_BT != IGNORED
    is_masked_BT = inputs_BT == VOCABULARY.mask_token_id
    is_same_BT = inputs_BT == ids_BT
    assert is_masked_BT[is_hidden_BT].float().mean() == pytest.approx(0.8, abs=0.03)
    assert is_same_BT[is_hidden_BT].float().mean() == pytest.approx(0.1, abs=0.03)
    is_other_BT = is_hidden_BT & ~is_masked_BT & ~is_same_BT
    assert IS_TEXT[inputs_BT[is_other_BT].numpy()].all()  # no end token, which begins a document


def test_words_are_hidden_as_a_whole():
    ids_BT = draw_ids()
    _, targets_BT = hide(ids_BT)
    for ids_T, targets_T in zip(ids_BT.tolist(), targets_BT.tolist()):
        for place in range(1, len(ids_T)):
            goes_on = (
                IS_TEXT[ids_T[place]] and IS_TEXT[ids_T[place - 1]] and not BEGINS[ids_T[place]]
            )
            if goes_on:
                assert (targets_T[place] == IGNORED) == (targets_T[place - 1] == IGNORED)


def test_the_same_seed_hides_the_same_and_another_does_not():
    ids_BT = draw_ids()
    assert torch.equal(hide(ids_BT)[1], hide(ids_BT)[1])
    assert not torch.equal(hide(ids_BT)[1], hide(ids_BT, seed=2)[1])


def test_what_is_no_target_stays_none():
    ids_BT = draw_ids()
    ids_BT[:, 200:] = IGNORED
    inputs_BT, targets_BT = hide(ids_BT)
    assert (targets_BT[:, 200:] == IGNORED).all()
    assert (inputs_BT >= 0).all()


def test_packed_ids_can_be_cut_into_shorter_sequences():
    ids_BT = draw_ids(2, 33)
    packed_BT = hide_words(ids_BT, VOCABULARY, 0.3, [[0], [1]])
    inputs_BT, _ = unpack(shorten(packed_BT, 8))
    assert torch.equal(inputs_BT[0], unpack(packed_BT)[0][0, :9])


def test_steps_that_hide_are_at_equal_distances_and_rows_have_draws_of_their_own():
    hiding = Hiding(VOCABULARY, share=0.25, rate=0.3, seed=1)
    assert [step for step in range(12) if hiding.is_in(step)] == [3, 7, 11]
    assert all(Hiding(VOCABULARY, 1.0, 0.3, 1).is_in(step) for step in range(9))
    ids_BT = draw_ids(4)
    together = hiding.hide(ids_BT, 5, 0)
    assert torch.equal(together[2:], hiding.hide(ids_BT[2:], 5, 2))
    assert not torch.equal(together, hiding.hide(ids_BT, 6, 0))


def test_this_projects_pieces_and_wordpieces_say_where_a_word_begins(gpt2, bert):
    for folder, begins, goes_on in ((gpt2, "▁", None), (bert, None, "##")):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        size = len(tokenizer)
        found = read_vocabulary(tokenizer, size)
        pieces = tokenizer.convert_ids_to_tokens(list(range(size)))
        for piece, is_begin in zip(pieces, found.begins_word_V):
            assert is_begin == (
                piece.startswith(begins) if begins else not piece.startswith(goes_on)
            )
        assert not found.is_text_V[tokenizer.all_special_ids].any()
    assert found.mask_token_id == tokenizer.mask_token_id
    ours = AutoTokenizer.from_pretrained(gpt2)
    assert read_vocabulary(ours, len(ours)).mask_token_id == ours.convert_tokens_to_ids(MASK_TOKEN)
