"""A row of the RE task, made from a sentence, an organisation and a person in it."""


def relation(sentence: str, subject: str, object_: str) -> dict:
    def entity(word: str, kind: str) -> dict:
        start = sentence.index(word)
        end = start + len(word) - 1
        return {"word": word, "start_idx": start, "end_idx": end, "type": kind}

    return {
        "sentence": sentence,
        "subject_entity": entity(subject, "ORG"),
        "object_entity": entity(object_, "PER"),
    }
