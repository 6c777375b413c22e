"""Sends noise to methods of a bridge, random bytes of many lengths, and prints how often each status came.

The arguments: how often each method is called, and the paths of the methods.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter

import grpc

TIMES, *PATHS = sys.argv[1:]
noise = random.Random(11)
codes: Counter[str] = Counter()
with grpc.insecure_channel(os.environ["SNAKEPIT_BRIDGE_ADDRESS"]) as channel:
    for path in PATHS:
        call = channel.unary_unary(path)
        for _ in range(int(TIMES)):
            try:
                call(noise.randbytes(noise.choice((0, 1, 3, 40, 5_000))), timeout=10)
                codes["OK"] += 1
            except grpc.RpcError as error:
                codes[error.code().name] += 1
print(json.dumps(codes))  # noqa: T201 - this is the answer
