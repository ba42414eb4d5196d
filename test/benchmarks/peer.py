"""PyTorch's side of the benchmark: answers JSON lines on stdin with timings, with Hugging Face's Llama and torch.optim.Adam.

It is started by protocol.ts with the number of threads as its argument, and compares nothing itself.
"""

import json
import os
import resource
import sys
import time

threads = int(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = str(threads)

import torch  # noqa: E402  (it reads OMP_NUM_THREADS when it is imported)
import transformers  # noqa: E402

torch.set_num_threads(threads)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

LEARNING_RATE = 3e-6
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever a library prints goes to stderr

state: dict = {}


def load(request: dict) -> None:
    model = transformers.LlamaForCausalLM.from_pretrained(
        request["folder"], dtype=torch.float32, attn_implementation="sdpa"
    )
    state["model"] = model
    state["optimizer"] = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    state["batches"] = {
        name: {
            "input_ids": torch.tensor(batch["ids"]),
            "attention_mask": torch.tensor(batch["mask"]),
            "labels": torch.tensor(batch["labels"]),
        }
        for name, batch in request["batches"].items()
    }


def step(batch: dict) -> float:
    model, optimizer = state["model"], state["optimizer"]
    model.train()
    optimizer.zero_grad(set_to_none=True)
    loss = model(**batch, use_cache=False).loss
    loss.backward()
    optimizer.step()
    return loss.item()


def forward(batch: dict) -> float:
    model = state["model"]
    model.eval()
    with torch.inference_mode():
        return model(**batch, use_cache=False).loss.item()


def adam(request: dict) -> float:
    if "adam" not in state:
        weight = torch.nn.Parameter(torch.full((request["elements"],), 0.1))
        weight.grad = torch.full_like(weight, 0.01)
        state["adam"] = torch.optim.Adam([weight], lr=1e-3, fused=True)
        state["adam"].step()
    started = time.perf_counter()
    for _ in range(request["count"]):
        state["adam"].step()
    return time.perf_counter() - started


def answer(request: dict) -> dict:
    if request["do"] == "load":
        load(request)
        return {"seconds": 0, "losses": []}
    if request["do"] == "adam":
        return {"seconds": adam(request), "losses": []}
    batch = state["batches"][request["batch"]]
    run = step if request["do"] == "step" else forward
    started = time.perf_counter()
    losses = [run(batch) for _ in range(request["count"])]
    return {"seconds": time.perf_counter() - started, "losses": losses}


versions = {"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__}

for line in sys.stdin:
    result = answer(json.loads(line))
    # Linux counts in KiB, macOS in bytes
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps(result | {"peakBytes": peak, "versions": versions}), file=answers, flush=True)
