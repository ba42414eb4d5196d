"""PyTorch's side of the benchmark of scores: the published procedure, stated again with Hugging Face's Llama.

For every pair of an item and a counterfactual it makes five passes, one prompt at a time, and nothing is kept from one pair to
the next: (1) the old model on the item, (2) the new model on the item, (3) the old model with its components reading what they
read in the new one, (4) the old model on the counterfactual, (5) the old model on the item for the informative scores.
It answers JSON lines on stdin and compares nothing.

Two ways to make the passes:
- `lean` takes gradients in passes 1, 2 and 5 alone and only of the values whose gradients a score needs;
- `published` runs `loss.backward()` in all five with the parameters' gradients on, as the published code does.
Both are spared what that code also spends: tokens behind the prompt, logits of other positions, and adding the weights' change to
the model and taking it off again (two models lie in memory; the change itself is computed once).
"""

import json
import os
import resource
import sys
import time
from contextlib import contextmanager

threads = int(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = str(threads)

import torch  # noqa: E402  (it reads OMP_NUM_THREADS when it is imported)
import transformers  # noqa: E402

torch.set_num_threads(threads)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever a library prints goes to stderr

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


class Recorded:
    """A model whose hooks keep what the running pass asks for, by (layer, name)."""

    def __init__(self, folder: str):
        self.model = transformers.LlamaForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="sdpa"
        ).eval()
        self.layers = len(self.model.model.layers)
        self.kept: dict[tuple[str, int], torch.Tensor] = {}
        self.wanted: set[str] = set()
        self.given: dict[tuple[str, int], torch.Tensor] | None = None
        for index, layer in enumerate(self.model.model.layers):
            for name in ATTENTION:
                self._watch(getattr(layer.self_attn, name), name, index)
            for name in MLP:
                self._watch(getattr(layer.mlp, name), name, index)

    def _watch(self, module: torch.nn.Module, name: str, layer: int) -> None:
        source = {"q_proj": "attn.in", "k_proj": "attn.in", "v_proj": "attn.in", "gate_proj": "mlp.in", "up_proj": "mlp.in"}.get(name)

        def before(_module, inputs):
            if f"{name}.x" in self.wanted:
                self.kept[f"{name}.x", layer] = inputs[0]
            if source and self.given is not None:
                return (self.given[source, layer],)
            if source and source in self.wanted:
                self.kept[source, layer] = inputs[0].detach()

        def after(_module, _inputs, output):
            if f"{name}.y" in self.wanted:
                self.kept[f"{name}.y", layer] = output

        module.register_forward_pre_hook(before)
        module.register_forward_hook(after)

    @contextmanager
    def keeping(self, wanted: set[str], given=None):
        self.wanted, self.given, self.kept = wanted, given, {}
        try:
            yield self.kept
        finally:
            self.wanted, self.given, self.kept = set(), None, {}

    def loss(self, item: int) -> torch.Tensor:
        """L = mean logit of the candidates - the answer's logit at the prompt's last token."""
        embedded = self.model.model.embed_tokens(state["ids"][item])
        if torch.is_grad_enabled() and not embedded.requires_grad:
            embedded.requires_grad_()
        logits = self.model(inputs_embeds=embedded, use_cache=False, logits_to_keep=1).logits[0, -1]
        candidates = logits[state["candidates"]]
        return candidates.mean() - candidates[state["answers"][item]]


state: dict = {}


def load(request: dict) -> None:
    state.clear()
    old, new = Recorded(request["old"]), Recorded(request["new"])
    state["old"], state["new"] = old, new
    state["ids"] = [torch.tensor([ids]) for ids in request["ids"]]
    state["answers"] = request["answers"]
    state["candidates"] = torch.tensor(request["candidates"])
    state["counterfactuals"] = request["counterfactuals"]
    state["alignments"] = [[torch.tensor(a) for a in lists] for lists in request["alignments"]]
    with torch.no_grad():
        state["change"] = {
            (name, index): getattr(getattr(after, part), name).weight - getattr(getattr(before, part), name).weight
            for index, (before, after) in enumerate(zip(old.model.model.layers, new.model.model.layers))
            for part, names in (("self_attn", ATTENTION), ("mlp", MLP))
            for name in names
        }


# z, the heads' outputs, is what o_proj reads; the MLP's output is down_proj's.
COMPONENTS = {"attn": "o_proj.x", "mlp": "down_proj.y"}
LINEAR = [f"{name}.{end}" for name in ATTENTION + MLP for end in "xy"]


def forward_backward(model: Recorded, item: int, names: set[str], published: bool, inputs=False, given=None):
    """One pass: the values of `names` and dL/d(value), each by (name, layer), and what the components read if asked for."""
    wanted = names | ({"attn.in", "mlp.in"} if inputs else set())
    with model.keeping(wanted, given) as kept:
        loss = model.loss(item)
        keys = [key for key in kept if key[0] in names]
        if published:
            for key in keys:
                kept[key].retain_grad()
            loss.backward()
            gradients = {key: kept[key].grad for key in keys}
        else:
            gradients = dict(zip(keys, torch.autograd.grad(loss, [kept[key] for key in keys])))
        values = {key: kept[key].detach() for key in keys}
        read = {key: kept[key] for key in kept if key[0] in ("attn.in", "mlp.in")}
    return values, gradients, read, loss.item()


def forward_only(model: Recorded, item: int, given=None):
    with torch.no_grad(), model.keeping(set(COMPONENTS.values()), given) as kept:
        model.loss(item)
        return dict(kept)


def stacked(kept: dict, name: str) -> torch.Tensor:
    """[layers, tokens, width], or [layers, heads, tokens, head size] of the heads."""
    value = torch.stack([kept[name, layer][0] for layer in range(state["old"].layers)])
    return by_heads(value, state["old"].model.config.num_attention_heads) if name == "o_proj.x" else value


def by_heads(value: torch.Tensor, heads: int) -> torch.Tensor:
    layers, tokens, width = value.shape
    return value.view(layers, tokens, heads, width // heads).transpose(1, 2)


def informative(values: dict, gradients: dict) -> dict[str, torch.Tensor]:
    config = state["old"].model.config
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    per_layer: dict[str, list[torch.Tensor]] = {name: [] for name in ATTENTION + MLP}
    for layer in range(state["old"].layers):
        for name in ATTENTION + MLP:
            x, g, change = values[f"{name}.x", layer], gradients[f"{name}.y", layer], state["change"][name, layer]
            # Along the output elements, but of o_proj along the input's, which fall into heads
            product = x * (g @ change) if name == "o_proj" else torch.nn.functional.linear(x, change) * g
            parts = {"q_proj": heads, "o_proj": heads, "k_proj": groups, "v_proj": groups}.get(name)
            per_layer[name].append(-(by_heads(product, parts)[0] if parts else product[0]).sum(-1))
    scores = {name: torch.stack(values) for name, values in per_layer.items()}
    shared = (scores["k_proj"] + scores["v_proj"]).repeat_interleave(heads // groups, 1) / (heads // groups)
    scores["ff_proj"] = scores["gate_proj"] + scores["up_proj"]
    scores["ff_out"] = scores["down_proj"]
    scores["mlp"] = scores["ff_proj"] + scores["ff_out"]
    scores["attn"] = scores["q_proj"] + scores["o_proj"] + shared
    return {f"informative.{name}": value for name, value in scores.items()}


def score_pair(item: int, other: int, alignment: torch.Tensor, published: bool) -> dict[str, torch.Tensor]:
    old, new = state["old"], state["new"]
    names = set(COMPONENTS.values())
    o, g, _, state["old_loss"] = forward_backward(old, item, names, published)
    n, changed_g, read, state["new_loss"] = forward_backward(new, item, names, published, inputs=True)
    if published:
        s = forward_backward(old, item, names, published, given=read)[0]
        c = forward_backward(old, other, names, published)[0]
    else:
        s = forward_only(old, item, given=read)
        c = forward_only(old, other)
    values, gradients, _, _ = forward_backward(old, item, set(LINEAR), published)
    scores = {}
    with torch.no_grad():
        for kind, name in COMPONENTS.items():
            o_, g_, n_, s_, c_, changed = (stacked(kept, name) for kept in (o, g, n, s, c, changed_g))
            scores[f"downstream.{kind}"] = ((o_ - s_) * g_).sum(-1)
            scores[f"downstream_nonstrict.{kind}"] = ((o_ - n_) * g_).sum(-1)
            scores[f"upstream.{kind}"] = ((g_ - changed) * (o_ - c_[..., alignment, :])).sum(-1)
        scores |= informative(values, gradients)
    return scores


def score(request: dict) -> dict:
    published = request["procedure"] == "published"
    for model in (state["old"], state["new"]):
        model.model.requires_grad_(published)
        model.model.zero_grad(set_to_none=True)
    points, pairs = {}, 0
    started = time.perf_counter()
    for item in request["items"]:
        others = list(zip(state["counterfactuals"][item], state["alignments"][item]))[: request.get("first")]
        total: dict[str, torch.Tensor] = {}
        for other, alignment in others:
            for name, value in score_pair(item, other, alignment, published).items():
                total[name] = total[name] + value if name in total else value
            pairs += 1
        points[item] = {
            "scores": {name: value / len(others) for name, value in total.items()},
            "losses": [state["old_loss"], state["new_loss"]],
        }
    seconds = time.perf_counter() - started
    for point in points.values():
        point["scores"] = {name: value.flatten().tolist() for name, value in point["scores"].items()}
    return {"seconds": seconds, "pairs": pairs, "points": points}


versions = {"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__}

for line in sys.stdin:
    request = json.loads(line)
    result = score(request) if request["do"] == "score" else load(request) or {}
    # Linux counts in KiB, macOS in bytes
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps(result | {"peakBytes": peak, "versions": versions}), file=answers, flush=True)
