"""Writes test/fixtures/continuations: greedy continuations of golden models by transformers' own generate(), in float32.

Run by hand with PyTorch 2.13 (CPU) and transformers 5.23: `python3 test/oracle/continuations.py`. No test runs this file. Each prompt is generated
from alone, without padding. `text` is what stands after the prompt, as the tokenizers library decodes it, before the first special token and the
first line break. `margin` is the smallest distance between the two largest logits of a step: where it is far above float32's error,
another runtime must choose the same tokens.
"""

import sys

sys.dont_write_bytecode = True  # of the files beside this one

import json

import torch
from golden import FIXTURES, Golden

TOKENS = 8


def text_after(golden, question, tokens):
    special = {id for id, token in golden.tokenizer.get_added_tokens_decoder().items() if token.special}
    kept = tokens[: next((i for i, token in enumerate(tokens) if token in special), len(tokens))]
    prompt, whole = golden.tokenizer.decode(question), golden.tokenizer.decode(question + kept)
    assert whole.startswith(prompt)
    return whole[len(prompt) :].split("\n")[0]


def continuation(golden, model, pair):
    """The tokens after those in front of the answer, their text, and the smallest margin among them."""
    ids, _, end = golden.encode(pair)
    question = ids[: end + 1]
    given = torch.tensor([question])
    output = model.generate(
        given, attention_mask=torch.ones_like(given), max_new_tokens=TOKENS, do_sample=False,
        eos_token_id=None, pad_token_id=0, output_logits=True, return_dict_in_generate=True,
    )  # fmt: skip
    tokens = output.sequences[0, len(question) :].tolist()
    top = [logits[0].topk(2).values for logits in output.logits]
    margin = min((two[0] - two[1]).item() for two in top)
    return {"tokens": tokens, "text": text_after(golden, question, tokens), "margin": margin}


def write(name):
    golden = Golden(name)
    model = golden.model(torch.float32)
    dataset = json.loads((FIXTURES / "experiments" / f"{name}.json").read_text())["first-hop"]
    lists = {key: [{"pair": pair, **continuation(golden, model, pair)} for pair in dataset[key]] for key in ["train", "test"]}
    value = {"model": name, "max_new_tokens": TOKENS, "lists": lists}
    (FIXTURES / "continuations" / f"{name}.json").write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    write("llama")
    write("gpt-neox")
