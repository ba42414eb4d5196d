"""Golden values of whole experiments: data ordering, weight grafting and layer freezing with given orders, as golden.py computes them.

A fixture of another model gives the data and the orders. It writes nothing.
"""

import torch
from golden import loss_of, measure, number, put


class Finetuning:
    """Trainings of one experiment fixture: every one with a new optimizer, from given weights."""

    def __init__(self, golden, fixture):
        self.golden, self.fixture, self.model = golden, fixture, golden.model()
        self.named = golden.named(self.model)
        self.checkpoint = self.weights()

    def weights(self):
        return {name: value.detach().clone() for name, value in self.named.items()}

    def train(self, pairs, orders, sets, start, trainable=None):
        put(self.named, start)
        trainable = trainable or self.golden.trainable(self.named, self.fixture["trainable"])
        for name, parameter in self.named.items():
            parameter.requires_grad_(name in trainable)
        optimizer = torch.optim.Adam([self.named[name] for name in trainable], lr=self.fixture["lr"])
        log = {"batch_losses": [], "epochs": [self.measure(sets)]}
        for epoch in orders:
            losses = []
            for batch in epoch:
                optimizer.zero_grad()
                loss = loss_of(self.model, *self.golden.batch([pairs[i] for i in batch])[:3])
                loss.backward()
                optimizer.step()
                losses.append(number(loss))
            log["batch_losses"].append(losses)
            log["epochs"].append(self.measure(sets))
        return log, self.weights()

    def measure(self, sets):
        return {name: measure(self.golden, self.model, pairs, options)[0] for name, (pairs, options) in sets.items()}

    def measured_with(self, weights, sets):
        put(self.named, weights)
        return self.measure(sets)

    def norms(self, to, since=None):
        since = since or self.checkpoint
        names = self.golden.trainable(self.named, self.fixture["trainable"])
        return {name: number((to[name] - since[name]).norm()) for name in names}


def data_ordering(run):
    data, orders = run.fixture["daxwug"], run.fixture["orders"]["data_ordering"]
    pairs = {(side, part): data["variant_1"][side][slice(*data[part])] for side in ["left", "both"] for part in ["train_slice", "test_slice"]}
    sets = {part: {side: (pairs[side, part], data["options"][side]) for side in ["left", "both"]} for part in ["train_slice", "test_slice"]}
    left, both = pairs["left", "train_slice"], pairs["both", "train_slice"]
    results = {}
    for name, stages in {"joint": [left + both], "left_first": [left, both], "both_first": [both, left]}.items():
        weights, logs = run.checkpoint, []
        for index, stage in enumerate(stages):
            log, weights = run.train(stage, orders[f"{name}.{index}"], sets["train_slice"], weights)
            logs.append(log)
        finetune, _ = run.train(pairs["left", "test_slice"], orders["finetune"], sets["test_slice"], weights)
        results[name] = {"stages": logs, "finetune": finetune, "delta_norms_after_stages": run.norms(weights)}
    return results


def grafting(run):
    data, orders = run.fixture["daxwug"], run.fixture["orders"]["grafting"]
    sets = {
        variant: {side: (data[f"variant_{variant}"][side][slice(*data["train_slice"])], data["options"][side]) for side in ["left", "both"]}
        for variant in [1, 2]
    }
    training, ended = {}, {}
    for name, side, variant, start in [("left", "left", 1, None), ("left_both", "both", 1, "left"), ("left_2", "left", 2, None), ("both", "both", 1, None)]:
        training[name], ended[name] = run.train(sets[variant][side][0], orders[name], sets[variant], ended[start] if start else run.checkpoint)
    starts = {name: ended["left"] if name == "left_both" else run.checkpoint for name in ended}
    results = {}
    every = {f"{side}_{variant}": sets[variant][side] for variant in [1, 2] for side in ["left", "both"]}
    for name, deltas in {"left_2": ["left_2"], "left_2_graft": ["left_2", "left_both"], "left_2_graft_bad": ["left_2", "both"]}.items():
        weights = {key: value + sum(ended[d][key] - starts[d][key] for d in deltas) for key, value in run.checkpoint.items()}
        text = " + ".join(["checkpoint", *[f"delta({d})" for d in deltas]])
        results[name] = {"weights": text, **run.measured_with(weights, every)}
    return {"training": training, "results": results, "delta_norms": {name: run.norms(ended[name], starts[name]) for name in ended}}


def layer_freezing(run, free):
    result = {}
    for hop in ["first-hop", "second-hop"]:
        data, orders = run.fixture[hop], run.fixture["orders"]["layer_freezing"][hop]
        sets = {side: (data[side], data["options"][side]) for side in ["train", "test"]}
        ocr, ended = run.train(data["train"], orders, sets, run.checkpoint)
        during, after = {}, {}
        for name, layers in free.items():
            names = run.golden.matrices(run.named, layers)
            after[name] = run.measured_with(run.checkpoint | {key: ended[key] for key in names}, sets)
            if name in ["early", "late"]:
                log, weights = run.train(data["train"], orders, sets, run.checkpoint, names)
                during[name] = {"log": log, "result": run.measured_with(weights, sets)}
        result[hop] = {"during_training": during, "after_training": after, "ocr": ocr, "delta_norms": run.norms(ended)}
    return {"free_layers": free, "datasets": result}


def experiment_values(golden, given):
    run = Finetuning(golden, given)
    free = given["results"]["layer_freezing"]["free_layers"]
    return {"data_ordering": data_ordering(run), "grafting": grafting(run), "layer_freezing": layer_freezing(run, free)}
