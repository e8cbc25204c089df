"""How good a tokenizer is, of this project or any other: the gate that it has to pass, and a report
on it."""
