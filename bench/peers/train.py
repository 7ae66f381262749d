"""Training steps of the benchmark's networks in PyTorch, on data from memory.

    train.py NAME THREADS DATA      NAME: 07, 01, 02, 04, atis, resnet20

Every line of standard input is a number of seconds; for so long it trains, and answers with one line of JSON. DATA is what
bench/compare.mjs makes: 784 bytes and a label for each picture, words for ATIS; resnet20 takes random numbers.
"""

import json
import resource
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional as f

name, threads, data = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(threads)
torch.manual_seed(1)


class AutoEncoder(nn.Module):
    """5x5 convolution, 4x4 pooling, unpooling, 5x5 transposed convolution: the configuration 07."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 5, padding=2)
        self.pool = nn.MaxPool2d(4, return_indices=True)
        self.unpool = nn.MaxUnpool2d(4)
        self.back = nn.ConvTranspose2d(1, 1, 5, padding=2, bias=False)

    def forward(self, x):
        pooled, places = self.pool(f.relu(self.convolution(x)))
        return self.back(self.unpool(pooled, places))

    def loss(self, x, _):
        x = x / 256
        error = self(x) - x
        return torch.sqrt((error * error).mean(dim=(1, 2, 3))).sum()


class Classifier(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def loss(self, x, labels):
        return f.cross_entropy(self.layers(x / 256), labels, reduction="sum")


def one_hidden():
    return Classifier(nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 10))


def one_convolution(normalized):
    first = nn.Conv2d(1, 16, 5, padding=2, bias=not normalized)
    rest = [nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * 14 * 14, 64)]
    middle = [nn.BatchNorm2d(16)] if normalized else []
    after = [nn.BatchNorm1d(64)] if normalized else []
    return Classifier(first, *middle, *rest, *after, nn.ReLU(), nn.Linear(64, 10))


class Block(nn.Module):
    def __init__(self, before, maps):
        super().__init__()
        stride = 1 if before == maps else 2
        self.inner = nn.Sequential(
            nn.Conv2d(before, maps, 3, stride, 1, bias=False),
            nn.BatchNorm2d(maps),
            nn.ReLU(),
            nn.Conv2d(maps, maps, 3, 1, 1, bias=False),
            nn.BatchNorm2d(maps),
        )
        self.beside = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(nn.Conv2d(before, maps, 1, stride, bias=False), nn.BatchNorm2d(maps))
        )

    def forward(self, x):
        return f.relu(self.inner(x) + self.beside(x))


def resnet20():
    blocks, before = [], 16
    for maps in (16, 32, 64):
        for _ in range(3):
            blocks.append(Block(before, maps))
            before = maps
    first = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return Classifier(*first, *blocks, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10))


class Tagger(nn.Module):
    """Three words, embedded and added; an LSTM; a label for each word."""

    def __init__(self, words=944, labels=127):
        super().__init__()
        self.embedding = nn.Embedding(3 * words, 150)
        self.lstm = nn.LSTM(150, 300)
        self.output = nn.Linear(300, labels)

    def loss(self, words, labels):
        embedded = [self.embedding(sentence).sum(1) for sentence in words]
        packed = nn.utils.rnn.pack_sequence(embedded, enforce_sorted=False)
        states, _ = self.lstm(packed)
        targets = nn.utils.rnn.pack_sequence(labels, enforce_sorted=False).data
        return f.cross_entropy(self.output(states.data), targets, reduction="sum")


def pictures():
    """Minibatches of 64 pictures of MNIST."""
    rows = numpy.fromfile(data, dtype=numpy.uint8).reshape(-1, 785)
    x = torch.from_numpy(rows[:, :784].astype(numpy.float32)).reshape(-1, 1, 28, 28)
    labels = torch.from_numpy(rows[:, 784].astype(numpy.int64))
    return [(x[i : i + 64], labels[i : i + 64], 64) for i in range(0, len(x) - 63, 64)]


def sentences():
    """Minibatches of whole sentences, at most 70 words. A line of DATA: sentence, three words, label."""
    numbers = numpy.loadtxt(data, dtype=numpy.int64)
    parts = [numbers[numbers[:, 0] == s] for s in numpy.unique(numbers[:, 0])]
    batches, batch = [], []
    for part in parts:
        if sum(map(len, batch)) + len(part) > 70:
            batches.append(batch)
            batch = []
        batch.append(part)
    shift = numpy.array([0, 944, 1888])
    return [
        (
            [torch.from_numpy(p[:, 1:4] + shift) for p in batch],
            [torch.from_numpy(p[:, 4]) for p in batch],
            sum(map(len, batch)),
        )
        for batch in batches
    ]


def random_pictures():
    return [(torch.rand(128, 3, 32, 32) * 256, torch.randint(10, (128,)), 128) for _ in range(2)]


models = {
    "07": AutoEncoder,
    "01": one_hidden,
    "02": lambda: one_convolution(False),
    "04": lambda: one_convolution(True),
    "atis": Tagger,
    "resnet20": resnet20,
}
model = models[name]()
batches = {"atis": sentences, "resnet20": random_pictures}.get(name, pictures)()
if name == "atis":
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.01)
else:
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0.9 if name != "01" else 0)
at = 0


def step():
    global at
    x, labels, samples = batches[at]
    at = (at + 1) % len(batches)
    optimizer.zero_grad(set_to_none=True)
    loss = model.loss(x, labels)
    loss.backward()
    optimizer.step()
    loss.item()
    return samples


for line in sys.stdin:
    begin, samples, steps = time.perf_counter(), 0, 0
    while steps == 0 or time.perf_counter() - begin < float(line):
        samples += step()
        steps += 1
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": samples / seconds, "peak": peak}), flush=True)
