"""Writes the golden models gpt-neox, gpt-neox-sequential and llama-biases and their values, in the shapes that test/fixtures has for the others.

Run by hand with PyTorch 2.13 (CPU) and transformers 5.23: `python3 test/oracle/fixtures.py` writes the files under test/fixtures;
`python3 test/oracle/fixtures.py --check olmo llama` computes the values of other golden models again and prints the largest differences.
Texts, token ids, alignments and orders are those of the golden model in LIKE, whose tokenizer ours has too; only numbers are computed. No test
runs this file, and it is no reference for the rules of masking and alignment: it takes their results from the other model's files.
"""

import copy
import json
import sys

sys.dont_write_bytecode = True  # of the files beside this one

import torch
from experiments import experiment_values
from golden import FIXTURES, Errors, Golden, forward_values, rank_values, steps, training_values
from safetensors.torch import load_file, save
from scores import scores_values
from transformers import AutoConfig, AutoModelForCausalLM

LIKE = "olmo"
HOPS = ["first-hop", "second-hop"]


def read(*parts):
    return json.loads(FIXTURES.joinpath(*parts).read_text())


def new_weights(golden, fixture, hop):
    """The weights after the golden training, in float32, and its losses."""
    pairs, training = read("scores", f"{LIKE}.{hop}.json")["train"], fixture["training_of_the_new_weights"]
    model = golden.model(torch.float32)
    named = golden.named(model)
    trainable = golden.trainable(named, training["trainable"])
    batches = [golden.batch([pairs[i] for i in batch]) for epoch in training["order"] for batch in epoch]
    losses, _ = steps(golden, model, trainable, batches, training["lr"])
    per = len(training["order"][0])
    training["losses"] = [losses[i : i + per] for i in range(0, len(losses), per)]
    return {name: named[name].detach().clone() for name in trainable}


def checkpoint_of(name, config, seed, like=LIKE):
    """A random checkpoint: matrices N(0, 0.15^2), gains around 1, biases around 0; in older exports' style also the constants that those hold."""
    folder = FIXTURES / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    for file in ["tokenizer.json", "tokenizer_config.json"]:
        (folder / file).write_bytes((FIXTURES / "models" / like / file).read_bytes())
    golden, generator, tensors = Golden(name), torch.Generator().manual_seed(seed), {}
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    for key, parameter in golden.named(model).items():
        normal = torch.randn(parameter.shape, generator=generator)
        tensors[key] = 0.15 * normal if parameter.dim() == 2 else 0.2 * normal + (1 if "norm" in key and key.endswith("weight") else 0)
    if "rotary_pct" in config:
        size, length = config["hidden_size"] // golden.heads, config["max_position_embeddings"]
        rotated = int(size * config["rotary_pct"])
        for layer in range(config["num_hidden_layers"]):
            attention = f"{golden.layout['layers']}.{layer}.attention"
            tensors[f"{attention}.bias"] = torch.ones(1, 1, length, length, dtype=torch.bool).tril()
            tensors[f"{attention}.masked_bias"] = torch.tensor(-1e9)
            tensors[f"{attention}.rotary_emb.inv_freq"] = 1 / 10000 ** (torch.arange(0, rotated, 2) / rotated)
    (folder / "model.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))
    return golden


def write_json(value, *parts):
    FIXTURES.joinpath(*parts).write_text(json.dumps(value) + "\n")


def write_tensors(tensors, *parts):
    FIXTURES.joinpath(*parts).write_bytes(save({name: value.float().contiguous() for name, value in tensors.items()}))


def write_forward(golden, like=LIKE):
    inputs = read("forward", f"{like}.json")["inputs"]
    tensors, errors = forward_values(golden, inputs)
    write_json({"model": golden.name, "inputs": inputs, "float32_error": errors}, "forward", f"{golden.name}.json")
    write_tensors(tensors, "forward", f"{golden.name}.safetensors")


def write_training(golden, modes, like=LIKE):
    given = read("training", f"{like}.json")
    record, grads, weights = training_values(golden, given, modes)
    taken = {key: given[key] for key in ["lr", "betas", "eps", "weight_decay", "batches"]}
    tied = golden.config.get("tie_word_embeddings", False)
    write_json({"model": golden.name, **taken, "tied_embeddings": tied, **record}, "training", f"{golden.name}.json")
    write_tensors(grads, "training", f"{golden.name}.grads.safetensors")
    for mode, values in weights.items():
        write_tensors(values, "training", f"{golden.name}.{mode}.safetensors")


def write(golden, modes, with_scores):
    name = golden.name
    write_forward(golden)
    write_training(golden, modes)
    write_json(rank_values(golden, read("rank", f"{LIKE}.json")), "rank", f"{name}.json")
    if not with_scores:
        return
    for hop in HOPS:
        fixture = read("scores", f"{LIKE}.{hop}.json") | {"model": name}
        fixture["training_of_the_new_weights"]["trainable"] = "all"
        changed = new_weights(golden, fixture, hop)
        tensors, losses = scores_values(golden, torch.float64, fixture, changed)
        other, errors = scores_values(golden, torch.float32, fixture, changed)[0], Errors()
        for key, value in other.items():
            errors.add(" ".join(["average" if key.startswith("average") else "point", key.split(".")[1]]), value, tensors[key])
        for point, old, new in zip(fixture["points"], *losses):
            point |= {"loss_old": old, "loss_new": new}
        write_json(fixture | {"float32_error": errors.groups}, "scores", f"{name}.{hop}.json")
        write_tensors(changed, "scores", f"{name}.{hop}.new-weights.safetensors")
        write_tensors(tensors, "scores", f"{name}.{hop}.safetensors")
    given = read("experiments", f"{LIKE}.json") | {"model": name, "trainable": "all"}
    write_json(given | {"results": experiment_values(golden, copy.deepcopy(given))}, "experiments", f"{name}.json")


def differences(path, ours, theirs, found):
    """Largest difference of numbers by the last name on their path."""
    if isinstance(theirs, dict):
        for key, value in theirs.items():
            differences(f"{path}.{key}" if key in ["ranks", "loss", "losses", "min_margin", "batch_losses"] or "norms" in key else path, ours[key], value, found)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), path
        for a, b in zip(ours, theirs):
            differences(path, a, b, found)
    elif isinstance(theirs, (int, float)):
        name = path.split(".")[-1]
        found[name] = max(found.get(name, 0), abs(ours - theirs))
    else:
        assert ours == theirs, (path, ours, theirs)


def check(name):
    """Prints how far the values in the files are from those computed here."""
    golden = Golden(name)

    def report(what, ours, file):
        stored, errors = load_file(FIXTURES / file), Errors()
        for key, value in ours.items():
            errors.add("all", value.float(), stored[key])
        missing = [key for key in stored if key not in ours and not key.endswith(("input_ids", "attention_mask"))]
        print(f"{name} {what}: {len(ours)} tensors, {errors.groups['all']}, not computed: {missing}")

    report("forward", forward_values(golden, read("forward", f"{name}.json")["inputs"])[0], f"forward/{name}.safetensors")
    given = read("training", f"{name}.json")
    record, grads, weights = training_values(golden, given, list(given["modes"]))
    report("gradients", grads, f"training/{name}.grads.safetensors")
    found = {}
    for mode, values in weights.items():
        report(f"weights of {mode}", values, f"training/{name}.{mode}.safetensors")
        differences("losses", record["modes"][mode]["losses"], given["modes"][mode]["losses"], found)
        assert set(record["modes"][mode]["trainable"]) == set(given["modes"][mode]["trainable"])
    given = read("rank", f"{name}.json")
    for case in given["masking"]:
        ids, labels, end = golden.encode([case["prompt"], case["continuation"]])
        assert (ids, labels, end) == (case["input_ids"], case["labels"], case["question_end"]), case
    differences("candidate logits, ranks and losses", rank_values(golden, given)["datasets"], given["datasets"], found)
    for hop in HOPS:
        fixture = read("scores", f"{name}.{hop}.json")
        tensors, losses = scores_values(golden, torch.float64, fixture, load_file(FIXTURES / f"scores/{name}.{hop}.new-weights.safetensors"))
        report(f"scores of {hop}", tensors, f"scores/{name}.{hop}.safetensors")
        differences("scores' losses", losses, [[point[key] for point in fixture["points"]] for key in ["loss_old", "loss_new"]], found)
    if (FIXTURES / f"experiments/{name}.json").exists():
        given = read("experiments", f"{name}.json")
        differences("other numbers of experiments", experiment_values(golden, given), given["results"], found)
    print(f"{name}: {({key: float(f'{value:.2g}') for key, value in found.items()})}")


# As published in 2023 (config.json of Pythia), and as newer transformers writes it, with everything else that the family can have
PUBLISHED = {
    "architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 374, "eos_token_id": 374, "hidden_act": "gelu", "hidden_size": 48,
    "initializer_range": 0.02, "intermediate_size": 100, "layer_norm_eps": 1e-05, "max_position_embeddings": 64, "model_type": "gpt_neox",
    "num_attention_heads": 3, "num_hidden_layers": 3, "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": False,
    "torch_dtype": "float32", "transformers_version": "4.24.0", "use_cache": True, "use_parallel_residual": True, "vocab_size": 389,
}  # fmt: skip
SEQUENTIAL = {
    "architectures": ["GPTNeoXForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 374, "classifier_dropout": 0.1,
    "dtype": "float32", "eos_token_id": 374, "hidden_act": "gelu", "hidden_dropout": 0.0, "hidden_size": 40, "initializer_range": 0.02,
    "intermediate_size": 72, "is_decoder": False, "layer_norm_eps": 1e-05, "max_position_embeddings": 64, "model_type": "gpt_neox",
    "num_attention_heads": 4, "num_hidden_layers": 3, "pad_token_id": None,
    "rope_parameters": {"partial_rotary_factor": 0.4, "rope_theta": 500.0, "rope_type": "default"},
    "tie_word_embeddings": True, "transformers_version": "5.23.0", "use_cache": True, "use_parallel_residual": False, "vocab_size": 389,
}  # fmt: skip
LLAMA_BIASES = {
    "architectures": ["LlamaForCausalLM"], "attention_bias": True, "bos_token_id": 375, "eos_token_id": 376, "head_dim": 6, "hidden_act": "silu",
    "hidden_size": 20, "intermediate_size": 28, "max_position_embeddings": 64, "mlp_bias": True, "model_type": "llama",
    "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_scaling": None, "rope_theta": 10000.0, "tie_word_embeddings": True, "torch_dtype": "float32", "vocab_size": 379,
}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        for model_name in sys.argv[2:]:
            check(model_name)
    else:
        with_biases = checkpoint_of("llama-biases", LLAMA_BIASES, 3, "llama")
        write_forward(with_biases, "llama")
        write_training(with_biases, ["all"], "llama")
        write(checkpoint_of("gpt-neox", PUBLISHED, 1), ["all", "layers_0_1", "mlp_attn"], True)
        write(checkpoint_of("gpt-neox-sequential", SEQUENTIAL, 2), ["all"], False)
