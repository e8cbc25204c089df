"""Settings are typed, limited and frozen; what doesn't fit is named with its place and the nearest
name."""

from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import Field, ValidationError, model_validator

from corpora.errors import UserError
from corpora.settings import (
    KEYED_IF_CHANGED,
    UNKEYED,
    Settings,
    broken_rule,
    find_named_file,
    nearest,
    read_toml,
)

Colour = Literal["red", "green"]


class Paint(Settings):
    """Settings with a field of every kind."""

    name: str
    """What it's called."""
    layers: int = Field(default=2, ge=1, le=9)
    gloss: float = Field(default=0.5, ge=0)
    wet: bool = False
    colour: Literal["", "red", "green"] = ""
    colours: tuple[Colour, ...] = ("red",)
    tins: tuple[Annotated[int, Field(ge=0)], ...] = (1,)
    hours: dict[str, Annotated[int, Field(ge=1)]] = {"red": 1, "green": 2}  # noqa: RUF012 - copied
    coats: Annotated[int, Field(ge=0)] | Literal["all"] = "all"
    notes: dict[str, Any] = {}  # noqa: RUF012 - copied
    workers: Annotated[int, UNKEYED] = Field(default=1, ge=1)
    drying: Annotated[Literal["auto", "sun"], KEYED_IF_CHANGED] = "auto"

    @model_validator(mode="after")
    def _dries(self) -> Self:
        if self.wet and self.layers > 4:
            raise broken_rule(f"layers={self.layers}: has to be at most 4 where wet={self.wet}.")
        return self


def message_of(table: dict, texts: dict | None = None) -> str:
    with pytest.raises(UserError) as error:
        if texts is None:
            Paint.from_table({"name": "a"} | table, "a.toml")
        else:
            Paint.from_table_and_texts({"name": "a"} | table, texts, "the command line")
    return str(error.value)


def test_a_table_gives_settings_whose_lists_are_tuples():
    table = {"name": "a", "gloss": 1, "colours": ["green", "red"], "notes": {"of": ["a", "list"]}}
    paint = Paint.from_table(table, "a.toml")
    assert paint.colours == ("green", "red")
    assert paint.notes == {"of": ("a", "list")}
    assert repr(paint.gloss) == "1.0"
    assert paint.layers == 2


def test_settings_are_frozen_and_take_no_wrong_value_from_python_either():
    paint = Paint(name="a")
    with pytest.raises(ValidationError):
        paint.layers = 3
    with pytest.raises(ValidationError):
        Paint(name="a", layers="3")


@pytest.mark.parametrize(
    "table, message",
    [
        ({"layer": 3}, "unknown key 'layer'. Did you mean 'layers'?"),
        ({"zzz": 3}, "unknown key 'zzz'."),
        ({"layers": 0}, "layers=0: has to be at least 1 and at most 9."),
        ({"layers": 10}, "layers=10: has to be at least 1 and at most 9."),
        ({"layers": 2.5}, "layers=2.5: expected int."),
        ({"layers": True}, "layers=True: expected int."),
        ({"layers": "3"}, "layers=3: expected int, without quotes."),
        ({"gloss": -0.5}, "gloss=-0.5: has to be at least 0."),
        ({"gloss": float("nan")}, "gloss=nan: has to be at least 0."),
        ({"gloss": True}, "gloss=True: expected float."),
        ({"wet": "true"}, "wet=true: expected bool, without quotes."),
        ({"wet": 1}, "wet=1: expected bool."),
        ({"name": 3}, "name=3: expected str."),
        ({"name": ["a"]}, "name=['a']: expected str."),
        ({"colour": "gren"}, "colour=gren: has to be one of red, green. Did you mean 'green'?"),
        ({"colours": ["red", "gren"]}, "colours=gren: has to be one of red, green. Did you mean"),
        ({"colours": "red"}, "colours=red: expected a list of str."),
        ({"tins": 3}, "tins=3: expected a list of int."),
        ({"tins": ["x"]}, "tins=x: expected a list of int."),
        ({"tins": [-1]}, "tins=-1: has to be at least 0."),
        ({"hours": 3}, "hours=3: expected a table."),
        ({"hours": {"red": 0}}, "hours.red=0: has to be at least 1."),
        ({"hours": {"red": 1.5}}, "hours.red=1.5: expected int."),
        ({"wet": True, "layers": 5}, "layers=5: has to be at most 4 where wet=True."),
    ],
)
def test_an_unfit_table_is_named_by_place_and_key(table, message):
    assert message_of(table).startswith(f"a.toml: {message}")


def test_a_missing_key_is_named_unless_it_stands_there_misspelt():
    with pytest.raises(UserError, match=r"^a\.toml: 'name' is missing\.$"):
        Paint.from_table({}, "a.toml")
    with pytest.raises(UserError, match=r"^a\.toml: unknown key 'nam'\. Did you mean 'name'\?$"):
        Paint.from_table({"nam": "a"}, "a.toml")


@pytest.mark.parametrize(
    "text, expected",
    [
        ({"layers": "3"}, {"layers": 3}),
        ({"gloss": "1e-1"}, {"gloss": 0.1}),
        ({"wet": "True"}, {"wet": True}),
        ({"wet": "0"}, {"wet": False}),
        ({"name": "3"}, {"name": "3"}),
        ({"colours": "green red"}, {"colours": ("green", "red")}),
        ({"colours": ""}, {"colours": ()}),
        ({"tins": "0 8"}, {"tins": (0, 8)}),
        ({"hours": {"red": "3"}}, {"hours": {"red": 3, "green": 7}}),
    ],
)
def test_a_text_takes_precedence_over_the_table_and_becomes_the_fields_type(text, expected):
    table = {"name": "a", "layers": 4, "hours": {"green": 7}, "tins": [5]}
    before = Paint.from_table(table, "a.toml")
    after = Paint.from_table_and_texts(table, text, "the command line")
    assert after == before.model_copy(update=expected)
    for name, value in expected.items():
        assert type(after.model_dump()[name]) is type(value)


@pytest.mark.parametrize(
    "texts, message",
    [
        ({"layer": "3"}, "unknown key 'layer'. Did you mean 'layers'?"),
        ({"layers": "three"}, "layers=three: expected int."),
        ({"layers": "10"}, "layers=10: has to be at least 1 and at most 9."),
        ({"gloss": "nan"}, "gloss=nan: has to be at least 0."),
        ({"wet": "maybe"}, "wet=maybe: expected bool."),
        ({"colour": "gren"}, "colour=gren: has to be one of red, green. Did you mean 'green'?"),
        ({"colours": "red gren"}, "colours=gren: has to be one of red, green. Did you mean"),
        ({"tins": "1 x"}, "tins=x: expected a list of int."),
        ({"coats": "-1"}, "coats=-1: has to be at least 0."),
        ({"hours": "3"}, "hours=3: expected a table."),
        ({"hours": {"red": "0"}}, "hours.red=0: has to be at least 1."),
        ({"layers": {"red": "0"}}, "layers={'red': '0'}: expected int."),
        ({"wet": "true", "layers": "9"}, "layers=9: has to be at most 4 where wet=True."),
    ],
)
def test_an_unfit_text_is_named_by_its_place(texts, message):
    assert message_of({}, texts).startswith(f"the command line: {message}")


def test_what_changes_no_byte_stays_out_of_the_key():
    paint = Paint(name="a", workers=8)
    keyed = paint.keyed()
    assert set(keyed) == set(Paint.model_fields) - {"workers", "drying"}
    assert keyed["colours"] == ["red"]
    assert keyed == Paint(name="a").keyed()


def test_a_choice_is_part_of_the_key_where_its_default_is_not():
    default = Paint(name="a").keyed()
    assert Paint(name="a", drying="auto").keyed() == default
    assert Paint(name="a", drying="sun").keyed() == default | {"drying": "sun"}


def test_the_string_under_a_field_is_its_help():
    assert Paint.model_fields["name"].description == "What it's called."


def test_the_nearest_word_is_named_if_any_is_near():
    assert nearest("lyers", ["layers", "name"]) == " Did you mean 'layers'?"
    assert nearest("zzz", ["layers", "name"]) == ""


def test_a_file_is_found_by_its_name_or_path(tmp_path):
    for name in ("large", "small"):
        (tmp_path / f"{name}.toml").write_text("steps = 3")
    assert find_named_file("preset", "small", tmp_path) == tmp_path / "small.toml"
    path = str(tmp_path / "large.toml")
    assert find_named_file("preset", path, tmp_path.parent) == tmp_path / "large.toml"
    with pytest.raises(UserError) as error:
        find_named_file("preset", "smal", tmp_path)
    assert str(error.value) == (
        f"preset 'smal': there is no {tmp_path}/smal.toml. Did you mean 'small'? "
        "Give one of large, small, or the path of a .toml file."
    )


def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"steps = = 3")
    with pytest.raises(UserError, match=r"a\.toml: not valid TOML \("):
        read_toml(path)
    path.write_bytes(b"steps = 3")
    assert read_toml(path) == {"steps": 3}


def test_a_toml_file_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes('a = "가"\r\n'.encode("utf-8-sig"))
    assert read_toml(path) == {"a": "가"}


@pytest.mark.parametrize("encoding", ["cp949", "utf-16"])
def test_a_toml_file_in_another_encoding_says_to_save_it_as_utf_8(tmp_path, encoding):
    path = tmp_path / "a.toml"
    path.write_bytes('a = "가"'.encode(encoding))
    with pytest.raises(UserError, match=r"a\.toml: not in UTF-8 .*Save it as UTF-8"):
        read_toml(path)
