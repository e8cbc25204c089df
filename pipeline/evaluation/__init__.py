"""How good a model is: KLUE's rows as token ids and as prompts, fine-tuning, baselines, metrics and
their intervals. What is run on which rows, and every table, is in pipeline/stages/."""
