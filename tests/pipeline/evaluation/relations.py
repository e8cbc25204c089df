"""A row of the RE task, made from a sentence and its two entities."""


def relation(sentence: str, subject: str, object_: str) -> dict:
    def entity(word: str) -> dict:
        start = sentence.index(word)
        end = start + len(word) - 1
        return {"word": word, "start_idx": start, "end_idx": end, "type": "ORG"}

    return {
        "sentence": sentence,
        "subject_entity": entity(subject),
        "object_entity": entity(object_),
    }
