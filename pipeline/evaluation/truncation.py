"""What is kept of a row that is longer than a model's input: token ids cut to fit."""


def cut_longer(parts: list[list[int]], room: int) -> list[list[int]]:
    """Cut two sentences to `room` tokens together, the longer one first."""
    first, second = parts
    first = first[: max(room // 2, room - len(second))]
    return [first, second[: room - len(first)]]


def cut_around_entities(parts: list[list[int]], room: int) -> list[list[int]]:
    """Cut a sentence, in the five parts around and between its entities, to `room` tokens.

    The entities come first, then the text between them, then what lies around. An entity longer
    than a third of the room is cut to it.
    """
    left, first, middle, second, right = parts
    first = first[: room // 3]
    second = second[: room // 3]
    room -= len(first) + len(second)
    if len(middle) > room:
        num_last = room // 2
        middle = middle[: room - num_last] + middle[len(middle) - num_last :]
    room -= len(middle)
    num_left = min(len(left), max(room // 2, room - len(right)))
    return [left[len(left) - num_left :], first, middle, second, right[: room - num_left]]
