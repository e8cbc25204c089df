"""`make generate` prints continuations."""

from tests.conftest import call_pipeline


def test_generate_prints_the_prompt_continued_three_times(built, tiny_preset):
    typed = ("--preset", tiny_preset, "--prompt", "대한민국은")
    assert call_pipeline("generate", *typed, folder=built).count("대한민국은") >= 3
