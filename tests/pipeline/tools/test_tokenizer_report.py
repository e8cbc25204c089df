"""What `make tokenizer-report` compares, and on which text."""

import pytest

from corpora.errors import UserError
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from pipeline.tools.tokenizer_report import open_others, read_klue_texts
from tests.tiny_tokenizer import train_on_articles
from tokenizer.export import export


def test_others_are_named_by_the_last_part_of_their_path_or_by_all_of_it(tmp_path):
    for name in ("one/same", "two/same", "with a space"):
        export(train_on_articles(), tmp_path / name)
    model = tmp_path / "with a space/sentencepiece.model"
    paths = f"{tmp_path}/one/same {tmp_path}/two/same '{model}' {tmp_path}/one/same"
    names = [f"{tmp_path}/one/same", f"{tmp_path}/two/same", "sentencepiece.model"]
    assert list(open_others(paths)) == names
    assert open_others("") == {}


def test_another_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match="nowhere: no tokenizer can be loaded"):
        open_others(str(tmp_path / "nowhere"))


def test_the_sample_s_texts_are_called_the_sample_s():
    texts = read_klue_texts("sample")
    assert list(texts) == [f"sample {task.title}" for task in TASKS.values()]
    rows = load_rows("sample", TASKS["nli"], "validation")
    assert len(texts["sample NLI"]) == 2 * len(rows)
    assert rows[0]["premise"] in texts["sample NLI"]
    assert rows[0]["hypothesis"] in texts["sample NLI"]
