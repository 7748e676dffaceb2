#!/usr/bin/env python3
"""Mapped records into a real Kafka, beside the raw producer of the library at the same size, count and acks, in turns.

    kafka.py APPEND [COUNT] [SIZE] [RUNS]      default 200000 messages of 700 bytes, 5 runs; APPEND: the program bench/append
"""
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
from measure import fsync_ms, spread  # noqa: E402
from support.kafka import Kafka  # noqa: E402

SOURCE = Path("/usr/share/doc/librdkafka-dev/examples/rdkafka_performance.c")


def yardstick(directory):
    """The producer that librdkafka measures itself with; its package has the source."""
    for part, files in (("src", ["rd.h"]), ("examples", ["rd.h"])):
        (directory / part).mkdir()
        for name in files:
            (directory / part / name).write_bytes((HERE / "yardstick" / name).read_bytes())
    (directory / "examples/rdtime.h").touch()
    (directory / "examples" / SOURCE.name).write_bytes(SOURCE.read_bytes())
    program = directory / "rdkafka_performance"
    subprocess.run(["gcc", "-O2", "-w", "-o", program, directory / "examples" / SOURCE.name, "-I/usr/include/librdkafka",
                    "-lrdkafka", "-lm"], check=True)
    return program


def main():
    append = Path(sys.argv[1]).resolve()
    count, size, runs = [int(x) for x in sys.argv[2:5] + ["200000", "700", "5"][len(sys.argv[2:5]):]]
    with tempfile.TemporaryDirectory(prefix="porta-bench-") as name:
        root = Path(name)
        (root / "yardstick").mkdir()
        raw = yardstick(root / "yardstick")
        with Kafka(root / "kafka") as kafka:
            for topic in ("porta.records", "raw"):
                kafka.create_topic(topic, 4)
            ours, theirs = [], []
            for _ in range(runs):
                ours.append(float(subprocess.run([append, kafka.brokers, str(count), str(size)], check=True, capture_output=True).stdout))
                said = subprocess.run([raw, "-P", "-t", "raw", "-s", str(size), "-c", str(count), "-a", "-1", "-z", "none", "-b", kafka.brokers,
                                       "-X", "enable.idempotence=true", "-X", "linger.ms=1"], check=True, capture_output=True, text=True)
                theirs.append(float(re.findall(r"(\d+) msgs/s", said.stdout + said.stderr)[-1]))
                print(f"  porta {ours[-1]:.0f}/s, rdkafka_performance {theirs[-1]:.0f}/s", flush=True)
            disk = fsync_ms(root)
    print(f"{count} messages of {size} bytes, acks=all, idempotent: porta {spread(ours)} a second; rdkafka_performance {spread(theirs)}; "
          f"ratio {statistics.median(ours) / statistics.median(theirs):.2f}; fdatasync {disk[0]:.2f} ms")


if __name__ == "__main__":
    main()
