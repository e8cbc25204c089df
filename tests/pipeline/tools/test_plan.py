"""`make plan` says what a preset will cost."""

import pytest

from corpora.errors import UserError
from tests.conftest import call_pipeline


def test_this_machine_is_probed(built, tiny_preset):
    text = call_pipeline("plan", "--preset", tiny_preset, folder=built)
    assert "probe:" in text
    assert "20 micro-batches" in text
    assert "the corpus at hand, once" in text
    for row in ("| 11 GB |", "| 40 GB, GPT-2's |", "| 570 GB, GPT-3's |"):
        assert row in text


def test_hardware_that_is_named_is_reckoned_with_and_nothing_is_probed(tmp_path):
    typed = ("--preset", "xl", "--hardware", "H100", "--gpus", "8")
    text = call_pipeline("plan", *typed, folder=tmp_path)
    assert "1,582.1M" in text
    assert "8 x H100" in text
    assert "probe" not in text


def test_unknown_hardware_is_named(tmp_path):
    with pytest.raises(UserError, match="HARDWARE=H1000"):
        call_pipeline("plan", "--hardware", "H1000", folder=tmp_path)
