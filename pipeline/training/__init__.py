"""How a model is pretrained: the loop (trainer.py) and, beside it, what the loop is made of. It
knows tokens and a model; where they come from is stages/pretrain.py's business."""
