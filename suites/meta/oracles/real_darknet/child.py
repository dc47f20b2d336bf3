"""A process of its own for `library.py`: small networks through libdarknet, each in a fork.

Each line of its input is a job as JSON, and it answers each with a line when that has ended. A job: library,
cfg, weights (may be empty), input (N, ...) and output files, values per output. width, height and classes ask
for the boxes of an image of that size too, saved for the weights as a file. ``<output>.said`` holds what
Darknet printed; a job that ended early, or outran `SECONDS`, has no output.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

import numpy as np

FLOATS = ctypes.POINTER(ctypes.c_float)
EVERY = -1e30
"""Threshold that every box is above."""
SECONDS = 600


class Detection(ctypes.Structure):
    """Darknet's `detection`."""

    _fields_ = (
        ("box", ctypes.c_float * 4), ("classes", ctypes.c_int), ("prob", FLOATS), ("mask", FLOATS),
        ("objectness", ctypes.c_float), ("sort_class", ctypes.c_int),
    )  # fmt: skip


def boxes(darknet: ctypes.CDLL, network: int, job: dict[str, Any]) -> np.ndarray:
    """Return rows of x, y, w, h, objectness and class scores of every box of the last prediction.

    Only [yolo] layers fill in the number of classes.
    """
    count, plain = ctypes.c_int(), (ctypes.c_int, ctypes.c_int, ctypes.c_float, ctypes.c_float)
    darknet.get_network_boxes.restype = ctypes.POINTER(Detection)
    darknet.get_network_boxes.argtypes = [
        ctypes.c_void_p, *plain, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_int),
    ]  # fmt: skip
    size = job["width"], job["height"]
    found = darknet.get_network_boxes(network, *size, EVERY, EVERY, None, 0, ctypes.byref(count))
    rows = [[*f.box, f.objectness, *f.prob[: job["classes"]]] for f in found[: count.value]]
    return np.array(rows, np.float32)


def run(darknet: ctypes.CDLL, job: dict[str, Any]) -> None:
    """Predict every row of a job's input, which is one batch of one for Darknet."""
    darknet.load_network.restype, darknet.network_predict.restype = ctypes.c_void_p, FLOATS
    darknet.load_network.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
    darknet.network_predict.argtypes = [ctypes.c_void_p, FLOATS]
    darknet.save_weights.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    network = darknet.load_network(job["cfg"].encode(), job["weights"].encode(), 0)
    if "saved" in job:
        darknet.save_weights(network, job["saved"].encode())
    outputs, found = [], []
    for row in np.ascontiguousarray(np.load(job["input"]), np.float32):
        given = darknet.network_predict(network, row.ctypes.data_as(FLOATS))
        outputs.append(np.ctypeslib.as_array(given, (job["values"],)).copy())
        if "classes" in job:
            found.append(boxes(darknet, network, job))
    np.savez(job["output"], outputs=np.stack(outputs), boxes=np.array(found))


def main() -> None:
    """Run each job in a fork, so that a crash ends that job alone."""
    for line in sys.stdin:
        job = json.loads(line)
        darknet = ctypes.CDLL(job["library"])
        child = os.fork()
        if not child:
            signal.alarm(SECONDS)
            said = os.open(f"{job['output']}.said", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
            os.dup2(said, 1)
            os.dup2(said, 2)
            run(darknet, job)
            os._exit(0)
        os.waitpid(child, 0)
        print(flush=True)


if __name__ == "__main__":
    main()
