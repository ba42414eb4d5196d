"""Golden values of training low-rank adapters, written to test/fixtures/training: losses, gradients, and adapters and merged weights after three Adam steps.

The adapters are hand-written around the modules of transformers' models, as PEFT has them: y = module(x) + alpha / rank (x A') B'. Everything is
float64 from float32 weights; A and B begin at random values that are stored, B too, so that A's first gradients are not 0.
Run: python3 test/oracle/lora.py
"""

import json
import sys

sys.dont_write_bytecode = True  # of the files beside this one

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from golden import FIXTURES, loss_of

RATE = 3e-4
# What of each model gets adapters: a map of q, k and v in [in, out] form, all maps with some layers left out, maps whose outputs are clipped
CASES = {
    "llama": {"rank": 4, "alpha": 8, "targets": ["self_attn.q_proj", "self_attn.v_proj"], "layers": None},
    "gpt2": {"rank": 3, "alpha": 12, "targets": ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"], "layers": None},
    "gemma2": {
        "rank": 5, "alpha": 5, "layers": [1, 2],
        "targets": [f"self_attn.{name}_proj" for name in "qkvo"] + [f"mlp.{name}_proj" for name in ["gate", "up", "down"]],
    },
    "olmo-clip": {"rank": 2, "alpha": 16, "targets": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], "layers": None},
}  # fmt: skip


class Adapted(torch.nn.Module):
    def __init__(self, module, is_input_first, rank, scale, random):
        super().__init__()
        self.module, self.is_input_first, self.scale = module, is_input_first, scale
        inputs, outputs = module.weight.shape if is_input_first else reversed(module.weight.shape)
        draw = lambda rows, columns, deviation: (torch.randn(rows, columns, generator=random) * deviation).float().to(module.weight.dtype)
        self.lora_A = torch.nn.Parameter(draw(rank, inputs, inputs**-0.5))
        self.lora_B = torch.nn.Parameter(draw(outputs, rank, 0.05))

    def forward(self, x):
        return self.module(x) + (x @ self.lora_A.T) @ self.lora_B.T * self.scale

    def merged(self):
        change = self.scale * self.lora_B @ self.lora_A
        return self.module.weight + (change.T if self.is_input_first else change)


def batches_of(name, vocabulary):
    given = FIXTURES / "training" / f"{name}.json"
    if given.exists():
        return json.loads(given.read_text())["batches"]
    random = torch.Generator().manual_seed(1)
    draw = lambda: torch.randint(0, vocabulary, (3, 9), generator=random).tolist()
    batches = []
    for _ in range(3):
        ids = draw()
        labels = [[-100] * 3 + row[3:] for row in ids]
        batches.append({"input_ids": ids, "attention_mask": [[1] * 9] * 3, "labels": labels})
    return batches


def values(name, case, dtype):
    folder = FIXTURES / "models" / name
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).to(dtype).eval()
    model.requires_grad_(False)
    random = torch.Generator().manual_seed(0)
    is_gpt2 = model.config.model_type == "gpt2"
    root = "transformer.h" if is_gpt2 else "model.layers"
    adapted = {}
    for layer in case["layers"] or range(len(model.get_submodule(root))):
        for target in case["targets"]:
            path = f"{root}.{layer}.{target}"
            parent, _, last = path.rpartition(".")
            module = Adapted(model.get_submodule(path), is_gpt2, case["rank"], case["alpha"] / case["rank"], random)
            setattr(model.get_submodule(parent), last, module)
            adapted[path] = module
    parameters = {
        f"base_model.model.{path}.{part}.weight": getattr(module, part) for path, module in adapted.items() for part in ["lora_A", "lora_B"]
    }
    tensors = {f"first.{key}": value.detach().clone() for key, value in parameters.items()}
    batches = batches_of(name, model.config.vocab_size)
    optimizer = torch.optim.Adam(parameters.values(), lr=RATE)
    losses = []
    for step, batch in enumerate(batches):
        optimizer.zero_grad()
        loss = loss_of(model, *[torch.tensor(batch[key]) for key in ["input_ids", "attention_mask", "labels"]])
        loss.backward()
        if step == 0:
            tensors |= {f"grad.{key}": value.grad.clone() for key, value in parameters.items()}
        optimizer.step()
        losses.append(loss.item())
    tensors |= {f"weight.{key}": value.detach().clone() for key, value in parameters.items()}
    tensors |= {f"merged.{path}.weight": module.merged().detach().clone() for path, module in adapted.items()}
    return {"lr": RATE, **case, "batches": batches, "losses": losses}, tensors


for name, case in CASES.items():
    record, tensors = values(name, case, torch.float64)
    other, others = values(name, case, torch.float32)
    record["float32_error"] = {
        "loss": max(abs(a - b) for a, b in zip(record["losses"], other["losses"])),
        **{group: max(float((others[key] - tensors[key]).abs().max()) for key in tensors if key.startswith(group)) for group in ["grad", "weight", "merged"]},
    }
    (FIXTURES / "training" / f"{name}.lora.json").write_text(json.dumps(record) + "\n")
    save_file({key: value.float().contiguous() for key, value in tensors.items()}, FIXTURES / "training" / f"{name}.lora.safetensors")
    print(name, len(tensors), record["losses"], record["float32_error"])
