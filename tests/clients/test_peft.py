"""peft: LoRA on the folder, merged and loaded again."""

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer


def test_an_adapter_is_trained_saved_and_merged(model_folder, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    batch = tokenizer("대한민국의 주권은 국민에게 있다.", return_tensors="pt")
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(model_folder), LoraConfig(task_type="CAUSAL_LM")
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(15):
        loss = model(**batch, labels=batch["input_ids"]).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    model.save_pretrained(tmp_path / "adapter")

    base = AutoModelForCausalLM.from_pretrained(model_folder)
    loaded = PeftModel.from_pretrained(base, tmp_path / "adapter")
    with torch.no_grad():
        wanted = loaded(**batch).logits
        merged = loaded.merge_and_unload()(**batch).logits
    torch.testing.assert_close(merged, wanted, atol=1e-4, rtol=1e-4)
