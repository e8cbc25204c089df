"""What is said of the GPT papers, measured on this project's own models: a claim a file, each made
by `make claim CLAIM=name`."""
