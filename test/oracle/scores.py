"""Golden extractive scores: downstream, upstream and informative, point by point and averaged, as the fixtures' README defines them.

It takes prompts, counterfactuals and alignments from a fixture, and writes nothing.
"""

import torch
from golden import Capture, number


def reading(golden, model, ids, end, candidates, given=None):
    """Values of one prompt, and their gradients of -(logit of the answer's first token - mean logit of the candidates)."""
    model.requires_grad_(False)
    embed = model.get_input_embeddings()
    handle = embed.register_forward_hook(lambda _, __, y: y.requires_grad_(True))
    with torch.enable_grad(), Capture(golden, model, given) as seen:
        logits = model(input_ids=torch.tensor([ids])).logits[0, end]
        loss = logits[candidates].mean() - logits[ids[end + 1]]
        # With given inputs the components reach the loss through the residual stream, and no gradient is asked for
        taken = {} if given is not None else {name: value for name, value in seen.items() if value.requires_grad}
        gradients = torch.autograd.grad(loss, list(taken.values()), allow_unused=True) if taken else []
    handle.remove()
    found = {name: torch.zeros_like(seen[name]) if g is None else g for name, g in zip(taken, gradients)}
    return {name: value.detach() for name, value in seen.items()}, found, number(loss)


def scores_values(golden, dtype, fixture, changed):
    """All tensors of a scores fixture, and the losses of both models on each point."""
    layout, layers, heads, key_heads = golden.layout, golden.config["num_hidden_layers"], golden.heads, golden.key_heads
    old, new = golden.model(dtype), golden.model(dtype, changed)
    before, after = golden.named(old), golden.named(new)
    candidates, points = fixture["candidate_tokens"], fixture["points"]
    components = {"attn": f"{layout['attention_out']}.x", "mlp": f"{layout['mlp_out']}.y"}
    short = lambda name: name.split(".")[-1]

    def summed(products, kind):
        """[T, width] -> [T], or by head [H, T]."""
        return products.reshape(products.shape[0], heads, -1).sum(-1).T if kind == "attn" else products.sum(-1)

    runs = [[reading(golden, model, p["input_ids"], p["question_end"], candidates) for p in points] for model in [old, new]]
    tensors, results = {}, []
    for index, point in enumerate(points):
        (o, o_grad, _), (n, n_grad, _) = runs[0][index], runs[1][index]
        s, _, _ = reading(golden, old, point["input_ids"], point["question_end"], candidates, given=n)
        result = {}
        add = lambda name, value: result.setdefault(name, []).append(value)
        for layer in range(layers):
            for kind, place in components.items():
                key = f"{layer}.{place}"
                add(f"downstream.{kind}", summed(((o[key] - s[key]) * o_grad[key])[0], kind))
                add(f"downstream_nonstrict.{kind}", summed(((o[key] - n[key]) * o_grad[key])[0], kind))
                each = []
                for k, (other, alignment) in enumerate(zip(point["counterfactuals"], point["counterfactual_alignments"])):
                    moved = o[key][0] - runs[0][other][0][key][0][alignment]
                    each.append(summed((o_grad[key] - n_grad[key])[0] * moved, kind))
                    add(f"upstream.cf{k}.{kind}", each[-1])
                add(f"upstream.{kind}", torch.stack(each).mean(0))
            sums = {"ff_proj": 0, "ff_out": 0, "attn": 0}
            for name in [*layout["attention"], layout["attention_out"], *layout["mlp"], layout["mlp_out"]]:
                file = f"{layout['layers']}.{layer}.{name}"
                x, g = o[f"{layer}.{name}.x"][0], o_grad[f"{layer}.{name}.y"][0]
                difference = (after[f"{file}.weight"] - before[f"{file}.weight"]).detach()
                last = name == layout["attention_out"]
                products = x * (g @ difference) if last else (x @ difference.T) * g
                parts = {"q_proj": heads, "k_proj": key_heads, "v_proj": key_heads, "query_key_value": 3 * heads}.get(short(name), heads if last else 1)
                split = -products.reshape(products.shape[0], parts, -1).sum(-1).T
                mlp = name.startswith("mlp.")
                add(f"informative.{short(name)}", split[0] if mlp else split)
                if mlp:
                    sums["ff_out" if name == layout["mlp_out"] else "ff_proj"] += split[0]
                elif short(name) == "query_key_value":
                    sums["attn"] += split.reshape(heads, 3, -1).sum(1)
                else:
                    sums["attn"] += split.repeat_interleave(heads // parts, 0) / (heads // parts)
                if f"{file}.bias" in before:
                    effect = -g * (after[f"{file}.bias"] - before[f"{file}.bias"]).detach()
                    whole = mlp or last
                    add(f"informative.{short(name)}_bias", effect.sum(-1) if whole else effect.reshape(len(x), parts, -1).sum(-1).T)
            more = {"mlp": sums["ff_proj"] + sums["ff_out"], "mlp_as_published": 2 * sums["ff_out"]}
            for name, value in (sums | more).items():
                add(f"informative.{name}", value)
        results.append({name: torch.stack(values) for name, values in result.items()})
        tensors |= {f"point{index}.{name}": value for name, value in results[-1].items()}
    for name in results[0]:
        if ".cf" not in name:
            aligned = [r[name][..., p["accumulation_alignment"]] for r, p in zip(results, points)]
            tensors[f"average.{name}"] = torch.stack(aligned).mean(0)
    return tensors, [[run[2] for run in runs[which]] for which in [0, 1]]
