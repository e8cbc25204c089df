"""llama.cpp on what `make export FORMAT=gguf` writes."""

import pytest

llama_cpp = pytest.importorskip(
    "llama_cpp", reason="llama-cpp-python couldn't be built here: llama.cpp was NOT tested"
)

LENGTH = 48  # of a greedy text, in tokens


@pytest.fixture(scope="module")
def llama(gguf_file, read_config):
    context = read_config("config.json")["n_positions"]
    return llama_cpp.Llama(str(gguf_file), n_ctx=context, verbose=False)


def test_ids_are_sentencepieces(llama, composed, ids):
    found = [llama.tokenize(text.encode(), add_bos=False, special=False) for text in composed]
    assert found == ids


def test_a_prompt_gets_the_begin_token_and_nothing_else(llama, composed, ids):
    assert llama.tokenize(composed[-1].encode(), special=False) == [3, *ids[-1]]


def test_greedy_texts_are_those_of_transformers(llama, gguf_file, greedy):
    found = {}
    for prompt in greedy:
        # llama.cpp rounds a context up to 256 tokens, and ends the process past the last position.
        room = LENGTH - len(llama.tokenize(prompt.encode()))
        options = {"max_tokens": room, "temperature": 0, "repeat_penalty": 1.0, "echo": True}
        found[prompt] = llama.create_completion(prompt, **options)["choices"][0]["text"]
    num_same = sum(found[prompt] == greedy[prompt] for prompt in greedy)
    # GELU from a table in half precision, or eight bits, can part texts at a near tie.
    assert num_same >= (len(greedy) - 1 if gguf_file.stem == "none" else 1), found
