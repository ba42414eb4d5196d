"""How golden values are computed: a golden model, what its layers compute, its gradients, Adam steps, ranks and extractive scores.

It writes nothing; fixtures.py does. All in float64 from the float32 weights, or in float32 for the error of that, with transformers' modelling
code and eager attention.
"""

import json
import pathlib

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"

LLAMA_LAYOUT = {
    "layers": "model.layers", "final_norm": "model.norm", "renamed": {},
    "attention": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], "attention_out": "self_attn.o_proj",
    "mlp": ["mlp.gate_proj", "mlp.up_proj"], "mlp_out": "mlp.down_proj",
}  # fmt: skip
LAYOUTS = {
    **dict.fromkeys(["llama", "qwen2", "mistral", "olmo", "olmo2", "gemma2"], LLAMA_LAYOUT),
    "gpt_neox": {
        "layers": "gpt_neox.layers", "final_norm": "gpt_neox.final_layer_norm", "renamed": {"lm_head.weight": "embed_out.weight"},
        "attention": ["attention.query_key_value"], "attention_out": "attention.dense",
        "mlp": ["mlp.dense_h_to_4h"], "mlp_out": "mlp.dense_4h_to_h",
    },
}  # fmt: skip

# Attention's probabilities, which transformers rounds to float32 whatever the model's type is
rounded_softmax = torch.nn.functional.softmax
torch.nn.functional.softmax = lambda x, dim=None, dtype=None: rounded_softmax(x, dim=dim, dtype=None if x.dtype == torch.float64 else dtype)


def number(value):
    return float(value.detach().double()) if isinstance(value, torch.Tensor) else float(value)


class Golden:
    """A model folder, its tokenizer, and its weights under their names in the file."""

    def __init__(self, name):
        self.name = name
        self.folder = FIXTURES / "models" / name
        self.config = json.loads((self.folder / "config.json").read_text())
        self.layout = LAYOUTS[self.config["model_type"]]
        self.tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.prefix = len(self.tokenizer.encode("").ids)
        self.heads = self.config["num_attention_heads"]
        self.key_heads = self.config.get("num_key_value_heads", self.heads)

    def model(self, dtype=torch.float64, weights=None):
        model = AutoModelForCausalLM.from_pretrained(self.folder, attn_implementation="eager", dtype=torch.float32).to(dtype).eval()
        if weights is not None:
            put(self.named(model), weights)
        return model

    def named(self, model):
        renamed = self.layout["renamed"]
        return {renamed.get(name, name): parameter for name, parameter in model.named_parameters()}

    def matrices(self, named, layers=None):
        parts = ["attention.", "self_attn.", "mlp."]
        return [
            name for name, parameter in named.items()
            if parameter.dim() == 2 and any(part in name for part in parts)
            and (layers is None or any(name.startswith(f"{self.layout['layers']}.{layer}.") for layer in layers))
        ]  # fmt: skip

    def trainable(self, named, choice):
        if choice == "all":
            return list(named)
        return self.matrices(named, [0, 1] if choice == "layers_0_1" else None)

    def encode(self, pair):
        """ids, labels by the published rule, and the last prompt token."""
        prompt, continuation = pair
        encoded = self.tokenizer.encode(f"{prompt} {continuation}")
        first, last = len(prompt) + 1, len(prompt) + len(continuation)

        def at(character):
            return max(i for i, (start, _) in enumerate(encoded.offsets) if start <= character and i >= self.prefix)

        begin, end = at(first), at(last)
        labels = [token if begin <= i <= end else -100 for i, token in enumerate(encoded.ids)]
        return encoded.ids, labels, begin - 1

    def first_token(self, text):
        return self.tokenizer.encode(f" {text}").ids[self.prefix]

    def batch(self, pairs):
        encoded = [self.encode(pair) for pair in pairs]
        width = max(len(ids) for ids, _, _ in encoded)
        fill = lambda values, filler: torch.tensor([list(v) + [filler] * (width - len(v)) for v in values])
        ids = fill([ids for ids, _, _ in encoded], 0)
        mask = fill([[1] * len(ids) for ids, _, _ in encoded], 0)
        return ids, mask, fill([labels for _, labels, _ in encoded], -100), [end for _, _, end in encoded]


def put(named, weights):
    with torch.no_grad():
        for name, value in weights.items():
            named[name].copy_(value)


def loss_of(model, ids, mask, labels):
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=-100)


class Capture:
    """Values of every layer during one run; `given` replaces what the first maps of attention and MLP read."""

    def __init__(self, golden, model, given=None):
        self.values, self.handles, layout = {}, [], golden.layout
        keep = lambda name, value: self.values.setdefault(name, value)
        module = lambda layer, name: model.get_submodule(f"{layout['layers']}.{layer}.{name}".rstrip("."))
        for layer in range(golden.config["num_hidden_layers"]):
            for name in [*layout["attention"], layout["attention_out"], *layout["mlp"], layout["mlp_out"]]:
                def before(_, args, key=f"{layer}.{name}.x", name=name):
                    x = args[0]
                    if given is not None and name in layout["attention"] + layout["mlp"]:
                        x = given[key]
                    keep(key, x)
                    return (x,)

                def after(_, __, y, key=f"{layer}.{name}.y"):
                    keep(key, y)
                    return y.clone()  # OLMo clamps what it is given in place

                self.handles += [module(layer, name).register_forward_pre_hook(before), module(layer, name).register_forward_hook(after)]
            block = module(layer, "")
            self.handles.append(block.register_forward_pre_hook(lambda _, args, layer=layer: keep(f"{layer}.in", args[0])))
            self.handles.append(block.register_forward_hook(lambda _, __, y, layer=layer: keep(f"{layer}.out", y[0] if isinstance(y, tuple) else y)))
        self.handles.append(model.get_submodule(layout["final_norm"]).register_forward_hook(lambda _, __, y: keep("final_norm", y)))

    def __enter__(self):
        return self.values

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()


class Errors:
    """The largest differences of another run from the stored values, by group of tensors."""

    def __init__(self):
        self.groups = {}

    def add(self, group, other, stored):
        other, stored = torch.as_tensor(other).double(), torch.as_tensor(stored).double()
        largest, gap = number(stored.abs().max()), number((other - stored).abs().max())
        entry = self.groups.setdefault(group, {"max_abs": 0.0, "max_abs_over_max": 0.0, "max_value": 0.0})
        for key, value in [("max_abs", gap), ("max_abs_over_max", gap / largest if largest else 0), ("max_value", largest)]:
            entry[key] = max(entry[key], float(f"{value:.3g}"))


def forward_values(golden, inputs):
    def run(dtype):
        tensors, model, layout = {}, golden.model(dtype), golden.layout
        for kind, given in inputs.items():
            ids, mask = torch.tensor(given["input_ids"]), torch.tensor(given["attention_mask"])
            with torch.no_grad(), Capture(golden, model) as seen:
                logits = model(input_ids=ids, attention_mask=mask).logits
            found = {"hidden.embed": seen["0.in"], "hidden.final_norm": seen["final_norm"], "logits": logits}
            for layer in range(golden.config["num_hidden_layers"]):
                found[f"hidden.{layer}"] = seen[f"{layer}.out"]
                z = seen[f"{layer}.{layout['attention_out']}.x"]
                found[f"attn_z.{layer}"] = z.reshape(*z.shape[:2], golden.heads, -1)
                found[f"mlp_act.{layer}"] = seen[f"{layer}.{layout['mlp_out']}.x"]
                found[f"mlp_out.{layer}"] = seen[f"{layer}.{layout['mlp_out']}.y"]
            for name, value in found.items():
                tensors[f"{kind}.{name}"] = value * mask.reshape(*mask.shape, *[1] * (value.dim() - 2))
        return tensors

    tensors, errors = run(torch.float64), Errors()
    for name, value in run(torch.float32).items():
        errors.add(name.split(".")[1], value, tensors[name])
    return tensors, errors.groups


def steps(golden, model, trainable, batches, rate):
    """Adam; the losses before each step, and the gradients of the first."""
    named = golden.named(model)
    for name, parameter in named.items():
        parameter.requires_grad_(name in trainable)
    optimizer = torch.optim.Adam([named[name] for name in trainable], lr=rate)
    losses, first = [], None
    for batch in batches:
        optimizer.zero_grad()
        loss = loss_of(model, *batch[:3])
        loss.backward()
        first = first or {name: named[name].grad.clone() for name in trainable}
        optimizer.step()
        losses.append(number(loss))
    return losses, first


def training_values(golden, given, modes):
    batches = [[torch.tensor(batch[key]) for key in ["input_ids", "attention_mask", "labels"]] for batch in given["batches"]]
    record, tensors, errors, grads = {}, {}, Errors(), {}
    for mode in modes:
        runs = {}
        for dtype in [torch.float64, torch.float32]:
            model = golden.model(dtype)
            named = golden.named(model)
            trainable = golden.trainable(named, mode)
            losses, first = steps(golden, model, trainable, batches, given["lr"])
            with torch.no_grad():
                after = [number(loss_of(model, *batch)) for batch in batches]
            runs[dtype] = losses, after, first, {f"weight.{name}": named[name].detach().clone() for name in trainable}
        losses, after, first, weights = runs[torch.float64]
        other = runs[torch.float32]
        errors.add("loss", other[0], losses)
        for name, value in other[2].items():
            errors.add("grad", value, first[name])
        for name, value in other[3].items():
            errors.add(f"weight_{mode}", value, weights[name])
        off = sum(int(((value - weights[name]).abs() > 1e-6).sum()) for name, value in other[3].items())
        record[mode] = {
            "trainable": trainable, "losses": losses, "losses_after_on_each_batch": after,
            "float32_elements_off_by_more_than_1e-6": off, "elements": sum(w.numel() for w in weights.values()),
        }  # fmt: skip
        tensors[mode] = weights
        grads = grads or {f"grad.{name}": value for name, value in first.items()}
    return {"modes": record, "float32_error": errors.groups}, grads, tensors


def measure(golden, model, pairs, options):
    """Logits of the candidates, ranks (ties to the smaller token), losses."""
    ids, mask, labels, ends = golden.batch(pairs)
    candidates = sorted({golden.first_token(option) for option in options})
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask).logits
        loss = number(loss_of(model, ids, mask, labels))
    rows = logits[range(len(pairs)), ends][:, candidates]
    answers = [candidates.index(golden.first_token(answer)) for _, answer in pairs]
    ranks = [sorted(range(len(candidates)), key=lambda c: (-row[c], c)).index(answer) for row, answer in zip(rows, answers)]
    margins = [number((row[answer] - row[c]).abs()) for row, answer in zip(rows, answers) for c in range(len(candidates)) if c != answer]
    gaps = [number(row.mean() - row[answer]) for row, answer in zip(rows, answers)]
    summary = {"mean_rank": sum(ranks) / len(ranks), "ranks": ranks, "min_margin": min(margins), "loss": loss}
    return summary, rows.tolist(), gaps


def rank_values(golden, given):
    result, models, errors = {}, [golden.model(), golden.model(torch.float32)], Errors()
    for name, data in given["datasets"].items():
        summary, rows, gaps = measure(golden, models[0], data["pairs"], data["options"])
        errors.add("candidate_logits", measure(golden, models[1], data["pairs"], data["options"])[1], rows)
        taken = ["pairs", "options", "options_first_tokens", "candidates", "question_end"]
        result[name] = {key: data[key] for key in taken} | {
            "candidate_logits": rows, "ranks": summary["ranks"], "mean_rank": summary["mean_rank"],
            "smallest_margin": summary["min_margin"], "mean_logit_loss": gaps, "mean_cross_entropy": summary["loss"],
        }  # fmt: skip
    taken = {key: given[key] for key in ["prefix_special_tokens", "bos_token", "masking"]}
    return {"model": golden.name, **taken, "datasets": result, "float32_error": errors.groups}
