"""Writes test/fixtures/kernels/adam.json: weights and moments after steps of torch.optim.Adam and AdamW.

Run with PyTorch 2.13 (CPU): python3 test/oracle/adam.py. The gradients are part of the file, so no random generator is shared.
"""

import json
import pathlib

import torch

COUNT = 37  # odd: nine groups of four lanes and one element
STEPS = 4


def numbers(tensor: torch.Tensor) -> list[float]:
    return [float(value) for value in tensor.to(torch.float64)]


def case(name: str, optimizer_class, settings: dict, max_norm: float | None = None) -> dict:
    generator = torch.Generator().manual_seed(len(name))
    weight = torch.nn.Parameter(torch.randn(COUNT, generator=generator) * 0.1)
    record = {"name": name, "settings": settings, "maxNorm": max_norm, "weight": numbers(weight.detach()), "steps": []}
    optimizer = optimizer_class([weight], **settings)
    for step in range(STEPS):
        # From very small to large gradients, and one that is exactly zero.
        scales = 10.0 ** torch.linspace(-6, 1, COUNT)
        gradient = torch.randn(COUNT, generator=generator) * scales
        gradient[5] = 0
        weight.grad = gradient.clone()
        entry = {"gradient": numbers(gradient)}
        if max_norm is not None:
            entry["norm"] = float(torch.nn.utils.clip_grad_norm_([weight], max_norm))
        optimizer.step()
        state = optimizer.state[weight]
        entry |= {
            "weight": numbers(weight.detach()),
            "m": numbers(state["exp_avg"]),
            "v": numbers(state["exp_avg_sq"]),
        }
        record["steps"].append(entry)
    return record


cases = [
    case("adam", torch.optim.Adam, {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}),
    case("adam, other settings", torch.optim.Adam, {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-6}),
    case("adamw", torch.optim.AdamW, {"lr": 3e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1}),
    case("adamw, clipped", torch.optim.AdamW, {"lr": 3e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.01}, max_norm=1.0),
]
target = pathlib.Path(__file__).parent.parent / "fixtures" / "kernels" / "adam.json"
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
