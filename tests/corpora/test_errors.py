"""A user's error passes as it is; a library's becomes one, on one line, with what to do."""

import pytest

from corpora.errors import UserError, as_user_error, require


def test_require_raises_its_message_unless_it_holds():
    require([1], "never said")
    with pytest.raises(UserError, match=r"^a\.txt: is empty\.$"):
        require([], "a.txt: is empty.")


def test_a_librarys_error_says_what_why_and_what_to_do():
    damaged = as_user_error("a.gz: damaged", "Get it again.", OSError)
    with pytest.raises(UserError) as error, damaged:
        raise FileNotFoundError("no\n  such file" + " x" * 1000)
    message = str(error.value)
    assert message.startswith("a.gz: damaged (FileNotFoundError: no such file x x")
    assert message.endswith("). Get it again.")
    assert len(message) < 600
    assert isinstance(error.value.__cause__, FileNotFoundError)


def test_an_error_of_the_users_and_one_of_another_kind_pass_as_they_are():
    with pytest.raises(UserError, match=r"^line 3$"), as_user_error("a.gz: damaged"):
        raise UserError("line 3")
    other = as_user_error("a.gz: damaged", kinds=(OSError, EOFError))
    with pytest.raises(ValueError, match=r"^other$"), other:
        raise ValueError("other")
