"""A model uploaded to a small Hub on this machine."""

import io
import sys
from pathlib import Path

import pytest

from corpora.errors import UserError
from pipeline.tools.publish import confirm
from tests.corpora.hub_client import run_python
from tests.corpora.hub_server import unused_port
from tests.pipeline.tools.export.saved import save
from tests.pipeline.tools.upload_server import OWNER, TOKEN, serve_uploads

REPO = f"{OWNER}/a-model"
CARD = '---\nlicense: other\n---\n# A model\n\n`from_pretrained("THIS_FOLDER")`\n'

ENVIRONMENT = {"USE_TORCH": "1", "HF_HUB_DISABLE_XET": "1"}  # git-LFS is what the small Hub speaks


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = save(tmp_path_factory.mktemp("model"))
    (folder / "README.md").write_text(CARD)
    (folder / "training_args.bin").touch()
    return folder


@pytest.fixture
def hub():
    with serve_uploads() as server:
        yield server


def publish(port, home, folder, *typed: str, repo: str = REPO, token: str = TOKEN, **variables):
    """The command, as a user runs it; its token is never printed."""
    arguments = ("publish", "--model", str(folder), "--repo", repo, *typed)
    environment = ENVIRONMENT | {"HF_TOKEN": token, **variables}
    done = run_python(port, home, "-m", "pipeline", *arguments, **environment)
    assert "Traceback" not in done.stderr
    assert not token or token not in done.stdout + done.stderr
    return done


def test_the_model_arrives_whole_in_a_private_repository(hub, folder, tmp_path):
    done = publish(hub.server_port, tmp_path, folder, "--yes")
    assert done.returncode == 0, done.stderr
    assert hub.visibility == {REPO: "private"}
    found = hub.files[REPO]
    assert set(found) == {path.name for path in folder.iterdir()} - {"training_args.bin"}
    for name in set(found) - {"README.md"}:
        assert found[name] == (folder / name).read_bytes(), name
    assert f'from_pretrained("{REPO}")' in found["README.md"].decode()
    assert "model.safetensors" in done.stdout
    assert f"http://127.0.0.1:{hub.server_port}/{REPO} (private if it is new" in done.stdout
    assert f"/{REPO}/commit/" in done.stdout.splitlines()[-1]


def test_a_repository_that_is_there_gets_a_new_commit(hub, folder, tmp_path):
    hub.visibility[REPO] = "public"
    hub.files[REPO] = {"config.json": b"old"}
    done = publish(hub.server_port, tmp_path, folder, "--yes")
    assert done.returncode == 0, done.stderr
    assert hub.files[REPO]["config.json"] == (folder / "config.json").read_bytes()
    assert hub.visibility[REPO] == "public"


def test_a_token_of_a_login_serves_too(hub, folder, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    done = publish(hub.server_port, tmp_path, folder, "--yes", token="")
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_without_a_token_nothing_is_asked(hub, folder, tmp_path):
    done = publish(hub.server_port, tmp_path, folder, "--yes", token="")
    assert done.stderr.startswith("error: publish: no token for the Hub.")
    assert "HF_TOKEN" in done.stderr
    assert hub.asked == []


def test_without_a_terminal_and_a_yes_nothing_is_uploaded(hub, folder, tmp_path):
    done = publish(hub.server_port, tmp_path, folder)
    assert done.stderr == "error: publish: nobody to ask: YES=1 uploads without asking.\n"
    assert "bytes in 7 files" in done.stdout
    assert hub.asked == []


def test_a_wrong_token_is_told(hub, folder, tmp_path):
    done = publish(hub.server_port, tmp_path, folder, "--yes", token="hf_wrong")
    assert done.stderr.strip().endswith(
        f"REPO={REPO}: can't be published: the Hub doesn't accept the token: it is wrong, or has "
        "expired."
    )


def test_a_repository_of_somebody_else_is_told(hub, folder, tmp_path):
    done = publish(hub.server_port, tmp_path, folder, "--yes", repo="others/model")
    assert "REPO=others/model: can't be published: the token may not write there" in done.stderr
    assert hub.files == {}


def test_a_hub_that_cant_be_reached_is_told(folder, tmp_path):
    done = publish(unused_port(), tmp_path, folder, "--yes")
    assert done.stderr.startswith(f"error: REPO={REPO}: can't be published (")
    assert done.stderr.count("\n") == 1
    assert "Check the network, HF_ENDPOINT" in done.stderr


def test_a_model_that_doesnt_load_isnt_uploaded(hub, folder, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "model.safetensors").write_bytes(b"broken")
    arguments = ("publish", "--model", str(copy), "--repo", REPO, "--yes")
    variables = ENVIRONMENT | {"HF_TOKEN": TOKEN}
    done = run_python(hub.server_port, tmp_path, "-m", "pipeline", *arguments, **variables)
    assert "doesn't load by itself" in done.stderr
    assert hub.asked == []


@pytest.mark.parametrize("repo", ["", "model", "a/b/c", "owner/a model"])
def test_what_is_no_repository_is_told(tmp_path, folder, repo):
    done = publish(1, tmp_path, folder, repo=repo)
    assert "say where to with REPO=owner/name" in done.stderr


def test_a_model_without_a_card_isnt_uploaded(hub, tmp_path):
    done = publish(hub.server_port, tmp_path, save(tmp_path), "--yes")
    assert "no README.md in it. Write a card" in done.stderr
    assert hub.asked == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["", "n", "no", "what?"])
def test_any_answer_but_yes_uploads_nothing(monkeypatch, answer):
    monkeypatch.setattr(sys, "stdin", Terminal(answer + "\n"))
    with pytest.raises(UserError, match="nothing was uploaded"):
        confirm(yes=False)


def test_a_yes_goes_on(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    confirm(yes=False)
