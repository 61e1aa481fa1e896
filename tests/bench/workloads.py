# SPDX-License-Identifier: Apache-2.0
"""The workloads, made from fixed seeds: the same each time."""
import os
import random
import shutil

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def in_child(function, *arguments):
    """Memory used here would count as that of every command run later (getrusage, over exec)."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            function(*arguments)
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1] != 0:
        raise SystemExit("a workload could not be made")


def touch(size):
    """A virtual machine gives free memory back to its host, and who takes it again pays for that
    with seconds a GiB: it must be neither side of a comparison."""
    assert len(b"x" * size) == size


def make_files(path, count, folders, low, high, seed):
    rng = random.Random(seed)
    for folder in range(folders):
        at = os.path.join(path, "%04d" % folder)
        os.makedirs(at)
        for number in range(count // folders):
            with open(os.path.join(at, "%06d.bin" % number), "wb") as out:
                out.write(rng.randbytes(rng.randint(low, high)))


def make_random(path, size, seed):
    rng = random.Random(seed)
    with open(path, "wb") as out:
        while size > 0:
            out.write(rng.randbytes(min(size, MIB)))
            size -= MIB


def make_edited(source, path, edits, seed):
    rng = random.Random(seed)
    places = sorted(rng.randrange(os.path.getsize(source)) for _ in range(edits))
    with open(source, "rb") as old, open(path, "wb") as new:
        for number, place in enumerate(places):
            while old.tell() < place:
                new.write(old.read(min(MIB, place - old.tell())))
            length = rng.randint(1, 64 * KIB)
            if number % 3 != 2:
                new.write(rng.randbytes(length))   # inserted, or overwriting
            if number % 3 != 0:
                old.seek(length, os.SEEK_CUR)      # overwritten, or deleted
        shutil.copyfileobj(old, new, MIB)


def csv_rows(rng, count, first):
    """Rows of about 60 bytes."""
    digits = rng.randbytes(16 * count).hex()
    return "".join("%d,class%d,0.%s,%s,%s\n" % (
        first + i, i % 10, int(digits[32 * i:32 * i + 12], 16), digits[32 * i + 12:32 * i + 22],
        digits[32 * i + 22:32 * i + 32]) for i in range(count))


def make_csv(path, size, seed):
    rng = random.Random(seed)
    first = 0
    with open(path, "w", encoding="ascii") as out:
        out.write("id,label,score,a,b\n")
        while out.tell() < size:
            out.write(csv_rows(rng, 10000, first))
            first += 10000


def make_csv_edited(source, path, edits, more, seed):
    rng = random.Random(seed)
    edited = {rng.randrange(os.path.getsize(source) // 60) for _ in range(edits)}
    with open(source, encoding="ascii") as old, open(path, "w", encoding="ascii") as new:
        for number, line in enumerate(old):
            new.write(csv_rows(rng, 1, number) if number in edited else line)
        new.write(csv_rows(rng, more, 10 ** 9))
