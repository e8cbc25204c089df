"""The stages of the pipeline, the models they train, and the commands that run them."""
