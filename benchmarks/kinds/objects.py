"""Growth that the roots reach, and structures that only look like it."""

import io
import mmap
import random
from collections import defaultdict, deque

import numpy as np
from base import Kind


class ListOfFloats(Kind):
    def set_up(self):
        self.x["kept"] = []

    def on_chunk(self, samples):
        self.x["kept"].append(self.chunks + 0.5)


class DictOfKeys(Kind):
    def set_up(self):
        self.x["seen"] = {}

    def on_chunk(self, samples):
        self.x["seen"][self.chunks, "said"] = None


class DequeWithoutEnd(Kind):
    def set_up(self):
        self.x["queue"] = deque()

    def on_segment(self):
        self.x["queue"].append((self.segments, "segment"))


class Transcript(Kind):
    def set_up(self):
        self.x["text"] = "it was said: " * 30

    def on_segment(self):
        self.x["text"] += "hello world "


class Buffer(Kind):
    def set_up(self):
        self.x["raw"] = bytearray()

    def on_chunk(self, samples):
        self.x["raw"] += samples[:100].tobytes()


class Arrays(Kind):
    def set_up(self):
        self.x["arrays"] = []

    def on_segment(self):
        self.x["arrays"].append(np.zeros(1000, dtype=np.float32))


class Cycles(Kind):
    def set_up(self):
        self.x["last"] = None

    def on_chunk(self, samples):
        node = {"before": self.x["last"]}
        node["self"] = node
        self.x["last"] = node


class BytesInMemory(Kind):
    def set_up(self):
        self.x["log"] = io.BytesIO()

    def on_segment(self):
        self.x["log"].write(b"x" * 4000)


class TextInMemory(Kind):
    def set_up(self):
        self.x["log"] = io.StringIO()

    def on_segment(self):
        self.x["log"].write(f"segment {self.segments}: it was said " * 40)


class EveryTenthSegment(Kind):
    def set_up(self):
        self.x["kept"] = []

    def on_segment(self):
        if self.segments % 10 == 0:
            self.x["kept"].append(object())


class WhileSilent(Kind):
    def set_up(self):
        self.x["kept"] = []

    def on_chunk(self, samples):
        if float(np.abs(samples).max()) < 1e-3:
            self.x["kept"].append(object())


class OnFinal(Kind):
    def set_up(self):
        self.x["kept"] = []

    def on_final(self):
        self.x["kept"].append(object())


class GrowingNumber(Kind):
    def set_up(self):
        self.x["product"] = 1 << 4000

    def on_chunk(self, samples):
        self.x["product"] <<= 240


class RandomOverLeak(Kind):
    def set_up(self):
        self.random = random.Random(2)
        self.x["queue"] = []

    def on_chunk(self, samples):
        self.x["queue"] = [0.0] * (self.random.randrange(10, 500) + 2 * self.chunks)


class TranscriptFromNothing(Kind):
    def set_up(self):
        self.x["text"] = ""

    def on_segment(self):
        self.x["text"] += "hello world "


class Session:
    def __init__(self):
        self.text = ""


class Attribute(Kind):
    """The text of an object, where the other is an item of a dict."""

    def set_up(self):
        self.x["session"] = Session()

    def on_segment(self):
        self.x["session"].text += "good morning to all of you. "


class NumberFromOne(Kind):
    def set_up(self):
        self.x["product"] = 1

    def on_chunk(self, samples):
        self.x["product"] <<= 240


class ObjectRows(Kind):
    """An array of objects, replaced by a longer one."""

    def set_up(self):
        self.x["rows"] = np.empty(0, dtype=object)

    def on_segment(self):
        self.x["rows"] = np.append(self.x["rows"], {"segment": self.segments})


class Mappings(Kind):
    def set_up(self):
        self.x["maps"] = []

    def on_segment(self):
        self.x["maps"].append(mmap.mmap(-1, 1 << 16))


class Speakers(Kind):
    """A list for each of four speakers, of which each gets longer."""

    def set_up(self):
        self.x["speakers"] = defaultdict(list)

    def on_chunk(self, samples):
        self.x["speakers"][f"speaker {self.chunks % 4}"].append(self.chunks + 0.5)


# Bounded.


class Trimmed(Kind):
    """The last 2,000 characters of what was said, and as many from the beginning."""

    def set_up(self):
        self.x["text"] = 2000 * "."

    def on_segment(self):
        self.x["text"] = (self.x["text"] + f"{self.segments} hello world ")[-2000:]


class RandomLength(Kind):
    def set_up(self):
        self.random = random.Random(1)
        self.x["queue"] = []

    def on_chunk(self, samples):
        self.x["queue"] = [0.0] * self.random.randrange(10, 500)


class JitterBuffer(Kind):
    """Packets keyed by time, dropped when they are late."""

    def set_up(self):
        self.random = random.Random(3)
        self.x["packets"] = {}

    def on_chunk(self, samples):
        packets = self.x["packets"]
        for _ in range(self.random.randrange(1, 6)):
            packets[self.chunks + self.random.randrange(8)] = bytes(160)
        for key in [key for key in packets if key <= self.chunks - 4]:
            del packets[key]


class Ring(Kind):
    def set_up(self):
        self.x["ring"] = deque(maxlen=37)

    def on_chunk(self, samples):
        self.x["ring"].append(self.chunks + 0.5)


class Vocabulary(Kind):
    """A cache that is full once every one of 30 words has come."""

    def set_up(self):
        self.x["words"] = {}

    def on_chunk(self, samples):
        word = f"word {self.chunks % 30}"
        self.x["words"].setdefault(word, len(word))


class Pool(Kind):
    def set_up(self):
        self.x["free"] = [bytearray(4096) for _ in range(8)]
        self.lent = deque()

    def on_chunk(self, samples):
        self.lent.append(self.x["free"].pop())
        if len(self.lent) > 4:
            self.x["free"].append(self.lent.popleft())
