"""How good a model is: fine-tuning, baselines and the metrics of KLUE."""
