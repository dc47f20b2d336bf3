"""Recurrent layers: rnn_layer.c, crnn_layer.c, gru_layer.c, lstm_layer.c.

The batch holds `steps` times the sequences, step by step: samples of one step stand together. States
begin with zeros; at inference Darknet keeps them from one call to the next, and this is a first call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from suites.meta.oracles.darknet_interpreter.activations import activate, logistic
from suites.meta.oracles.darknet_interpreter.convolution import convolve, read_kernel
from suites.meta.oracles.darknet_interpreter.dense import connect, read_connected
from suites.meta.oracles.darknet_interpreter.running import Running
from suites.meta.oracles.darknet_interpreter.text import Section
from suites.meta.oracles.darknet_interpreter.weights import Array, Parameters

Part = Callable[[Array], Array]


def by_step(net: Running, x: Array) -> Iterator[Array]:
    """Cut the batch into steps."""
    if x.shape[0] % net.steps:
        raise ValueError(f"a batch of {x.shape[0]} is not a multiple of {net.steps} steps")
    return iter(np.split(x, net.steps))


def hidden_loop(net: Running, section: Section, x: Array, parts: tuple[Part, Part, Part]) -> Array:
    """State <- input part + self part, plus the old state with shortcut=1; output part of the state."""
    of_input, of_self, of_output = parts
    state, outputs = None, []
    for step in by_step(net, x):
        entering = of_input(step)
        if state is None:
            state = np.zeros_like(entering)
        kept = state if section.integer("shortcut", 0) else 0 * state
        state = kept + entering + of_self(state)
        outputs.append(of_output(state))
    return np.concatenate(outputs)


def rnn(net: Running, section: Section, x: Array) -> Array:
    """[rnn]: three connected layers; logistic=1 or 2 gives the one of the state logistic or loggy."""
    hidden, output = section.integer("hidden", 1), section.integer("output", 1)
    bn, name = bool(section.integer("batch_normalize", 0)), section.text("activation", "logistic")
    flat = x.reshape(x.shape[0], -1)
    names = (name, {1: "logistic", 2: "loggy"}.get(section.integer("logistic", 0), name), name)
    sizes = ((hidden, flat.shape[1]), (hidden, hidden), (output, hidden))
    parameters = [read_connected(net, *size, bn) for size in sizes]

    def part(which: int) -> Part:
        return lambda value: connect(net, value, parameters[which], names[which])

    return hidden_loop(net, section, flat, (part(0), part(1), part(2)))[:, :, None, None]


def crnn(net: Running, section: Section, x: Array) -> Array:
    """[crnn]: three convolutions that keep the size of the image."""
    size, groups = section.integer("size", 3), section.integer("groups", 1)
    padding = size // 2 if section.integer("pad", 0) else section.integer("padding", 0)
    hidden, output = section.integer("hidden", 1), section.integer("output", 1)
    if section.integer("stride", 1) != 1 or section.integer("dilation", 1) != 1 or 2 * padding != size - 1:
        raise ValueError("[crnn] must keep the size of the image, and dilation is not written here")
    bn, name = bool(section.integer("batch_normalize", 0)), section.text("activation", "logistic")
    sizes = ((hidden, x.shape[1]), (hidden, hidden), (output, hidden))
    kernels = [net.ready(read_kernel(net.weights, n, c // groups, size, bn)) for n, c in sizes]

    def part(kernel: Parameters) -> Part:
        def of(value: Array) -> Array:
            y = convolve(value, kernel.weights, (1, 1), padding, groups=groups)
            return activate(kernel.normalized(y, net.epsilon), name)

        return of

    return hidden_loop(net, section, x, (part(kernels[0]), part(kernels[1]), part(kernels[2])))


def gates(net: Running, count: int, outputs: int, inputs: int, bn: bool) -> list[Part]:
    """Read linear connected layers, one after the other."""
    read = [read_connected(net, outputs, inputs, bn) for _ in range(count)]
    return [lambda value, p=p: connect(net, value, p, "linear") for p in read]  # type: ignore[misc]


def gru(net: Running, section: Section, x: Array) -> Array:
    """[gru]: h <- z * h + (1 - z) * f(W x + U (r * h)); stored z, r, h of the input, then of the state.

    f is the logistic, not tanh as everywhere else: gru_layer.c asks for USET, which only rnn_layer.h
    defines and gru_layer.c does not include. pjreddie's later source has a key for it, tanh=1.
    """
    candidate_of = np.tanh if section.integer("tanh", 0) else logistic
    output, bn = section.integer("output", 1), bool(section.integer("batch_normalize", 0))
    flat = x.reshape(x.shape[0], -1)
    in_z, in_r, in_h = gates(net, 3, output, flat.shape[1], bn)
    of_z, of_r, of_h = gates(net, 3, output, output, bn)
    state, outputs = np.zeros((x.shape[0] // net.steps, output), x.dtype), []
    for step in by_step(net, flat):
        update, reset = logistic(in_z(step) + of_z(state)), logistic(in_r(step) + of_r(state))
        candidate = candidate_of(in_h(step) + of_h(reset * state))
        state = update * state + (1 - update) * candidate
        outputs.append(state)
    return np.concatenate(outputs)[:, :, None, None]


def lstm(net: Running, section: Section, x: Array) -> Array:
    """[lstm]: stored f, i, g, o of the state (w), then of the input (u)."""
    output, bn = section.integer("output", 1), bool(section.integer("batch_normalize", 0))
    flat = x.reshape(x.shape[0], -1)
    of_state = gates(net, 4, output, output, bn)
    of_input = gates(net, 4, output, flat.shape[1], bn)
    hidden = np.zeros((x.shape[0] // net.steps, output), x.dtype)
    cell, outputs = np.zeros_like(hidden), []
    for step in by_step(net, flat):
        sums = [w(hidden) + u(step) for w, u in zip(of_state, of_input, strict=True)]
        forget, enter, leave = (logistic(sums[i]) for i in (0, 1, 3))
        cell = forget * cell + enter * np.tanh(sums[2])
        hidden = leave * np.tanh(cell)
        outputs.append(hidden)
    return np.concatenate(outputs)[:, :, None, None]
