"""Models as functions of token ids: made, loaded, scored, continued and reckoned with. How they are
trained is pipeline/training's business."""
