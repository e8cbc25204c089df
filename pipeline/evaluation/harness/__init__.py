"""Zero-, one- and few-shot scores through lm-evaluation-harness: a task file a task (*.yaml), the
functions that they name, and the only calls of the harness. Nothing is trained here."""
