"""The journal that recorder.cpp writes, and the disks that a power cut may have left at any place of it.

A cut keeps what was synced. Of what came after, each write to a file is kept, dropped or torn (its 512-byte sectors kept or
dropped one by one), each cut of its length and each name made or taken away kept or dropped, all independently of each other:
no order among them is assumed, not even within one file. A name counts as synced when its directory was. A file that was
being lengthened may have its new length without the bytes.
"""
import mmap
import os
import shutil
import struct
from pathlib import Path

SECTOR = 512
HEAD = struct.Struct("<c3xIQQ")
FILE_EFFECTS, NAME_EFFECTS = (b"W", b"T"), (b"C", b"U", b"R", b"L", b"M")


class Entry:
    __slots__ = ("kind", "inode", "at", "offset", "size")

    def __init__(self, kind, inode, at, offset, size):
        self.kind, self.inode, self.at, self.offset, self.size = kind, inode, at, offset, size


class Journal:
    """All entries of a recorded run. Two kinds come from the test itself: A, an acknowledgement that somebody was given, and
    F, a file that a source put there, durable before anybody reads it."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.bytes = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)
        self.entries, place = [], 0
        while place < len(self.bytes):
            kind, size, inode, at = HEAD.unpack_from(self.bytes, place)
            self.entries.append(Entry(kind, inode, at, place + HEAD.size, size))
            place += HEAD.size + size

    def data(self, entry):
        return self.bytes[entry.offset:entry.offset + entry.size]

    def names(self, entry):
        return self.data(entry).decode().split("\0")


class Writer:
    """What the test itself notes, in the same order as the recorder's entries."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, kind, inode, text):
        data = text.encode()
        os.write(self.fd, HEAD.pack(kind, len(data), inode, 0) + data)

    def acknowledged(self, what):
        self.note(b"A", 0, what)

    def put(self, path):
        self.note(b"F", os.stat(path).st_ino, str(path))


class Disk:
    """What is synced at a place of the journal, and what is not. `images` holds the synced bytes of each file that porta
    wrote; files of sources keep theirs below `originals`, found by inode."""

    def __init__(self, journal, root, images, originals):
        self.journal, self.root, self.images = journal, str(root), Path(images)
        self.originals = {p.stat().st_ino: p for p in Path(originals).rglob("*") if p.is_file()}
        self.newest = {}                # inode → number of the file: an inode is given again when its file is gone
        shutil.rmtree(images, ignore_errors=True)
        self.images.mkdir()
        self.place = 0
        self.files = []                 # (open image, effects not synced)
        self.synced_names = {}          # path → number of the file, path of a source's file, or None for a directory
        self.pending_names = []         # (effect, number of the file that it made)
        self.made = set()               # directories that have a name only by an effect
        self.acknowledged, self.arrived = [], set()

    def go(self, place):
        while self.place < place:
            self.step(self.journal.entries[self.place])
            self.place += 1

    def step(self, e):
        if e.kind == b"A":
            self.acknowledged.append(self.journal.data(e).decode())
        elif e.kind == b"F":
            self.synced_names[self.journal.names(e)[0]] = self.originals[e.inode]
            self.arrived.add(self.journal.names(e)[0])
        elif e.kind == b"R" and self.journal.names(e)[0] in self.arrived:
            # Moving a source's file away says that it is durable.
            self.acknowledged.append("object " + self.journal.names(e)[0])
            self.pending_names.append((e, None))
        elif e.kind in NAME_EFFECTS:
            if e.kind == b"C":
                self.newest[e.inode] = len(self.files)
                self.files.append((open(self.images / str(len(self.files)), "w+b"), []))
            elif e.kind == b"M":
                self.made.add(self.journal.names(e)[0])
            self.pending_names.append((e, self.newest.get(e.inode)))
        elif e.kind in FILE_EFFECTS:
            self.files[self.newest[e.inode]][1].append(e)
        elif e.kind == b"S" and e.inode in self.newest:
            image, pending = self.files[self.newest[e.inode]]
            for effect in pending:
                self.apply(image, effect)
            pending.clear()
        elif e.kind == b"D":
            directory, still = self.journal.data(e).decode(), []
            for effect, file in self.pending_names:
                if any(os.path.dirname(n) == directory for n in self.journal.names(effect)):
                    self.rename(self.synced_names, effect, file)
                else:
                    still.append((effect, file))
            self.pending_names = still

    def apply(self, image, effect, torn=None):
        if effect.kind == b"T":
            image.truncate(effect.at)
            return
        data = self.journal.data(effect)
        if torn is None:
            image.seek(effect.at)
            image.write(data)
            return
        place = effect.at
        while place < effect.at + len(data):
            end = min(place - place % SECTOR + SECTOR, effect.at + len(data))
            if torn.random() < 0.5:
                image.seek(place)
                image.write(data[place - effect.at:end - effect.at])
            place = end

    def rename(self, names, e, file):
        first, *other = self.journal.names(e)
        if e.kind in (b"C", b"M"):
            names[first] = file
        elif e.kind == b"U":
            names.pop(first, None)
        elif first in names:
            names[other[0]] = names[first]
            if e.kind == b"R":
                del names[first]

    def unsynced(self):
        return len(self.pending_names) + sum(len(pending) for _, pending in self.files)

    def leave(self, rnd=None):
        """Writes below the root what a cut here leaves, by chance; without `rnd` what all effects together give. Says how many
        effects were dropped and how many writes torn."""
        names, dropped, torn = dict(self.synced_names), 0, 0
        keeps = rnd.choice((0.0, 0.5, 0.9, 1.0)) if rnd else 1.0
        for e, file in self.pending_names:
            if rnd and rnd.random() >= keeps:
                dropped += 1
            else:
                self.rename(names, e, file)
        for path, file in sorted(names.items()):
            if not self.reached(names, path):
                continue
            os.makedirs(path if file is None else os.path.dirname(path), exist_ok=True)
            if isinstance(file, Path):
                os.link(file, path)
            elif file is not None:
                image, pending = self.files[file]
                image.flush()
                shutil.copyfile(image.name, path)
                lost = self.lay(path, pending, rnd)
                dropped, torn = dropped + lost[0], torn + lost[1]
        return dropped, torn

    def reached(self, names, path):
        """A file is gone with the name of its directory. Directories that stood there before have no entry."""
        parent = os.path.dirname(path)
        while len(parent) > len(self.root) and not (parent in self.made and parent not in names):
            parent = os.path.dirname(parent)
        return len(parent) <= len(self.root)

    def lay(self, path, pending, rnd):
        dropped = torn = 0
        keeps, tears = (rnd.choice((0.0, 0.1, 0.5, 0.9, 0.99, 1.0)), rnd.choice((0.0, 0.1, 0.5))) if rnd else (1.0, 0.0)
        # Also the last of them only: a log whose end arrived before its middle.
        last = len(pending) - 3 if rnd and rnd.random() < 0.1 else 0
        with open(path, "r+b") as image:
            length = os.path.getsize(path)
            for n, e in enumerate(pending):
                if rnd and (n < last or rnd.random() >= keeps):
                    dropped += 1
                    if e.kind == b"W" and e.at + e.size > length and rnd.random() < 0.3:
                        image.truncate(e.at + e.size)
                elif rnd and e.kind == b"W" and rnd.random() < tears:
                    torn += 1
                    self.apply(image, e, rnd)
                else:
                    self.apply(image, e)
                image.flush()
                length = os.path.getsize(path)
        return dropped, torn


def places(journal, count, rnd):
    """Places for cuts: three of four anywhere among the writes, the others close to where names change, which is rare."""
    writes = [n for n, e in enumerate(journal.entries) if e.kind in FILE_EFFECTS]
    names = [n for n, e in enumerate(journal.entries) if e.kind in NAME_EFFECTS]
    chosen = [min(len(journal.entries), rnd.choice(names) + rnd.randint(1, 12)) if rnd.random() < 0.25 else rnd.choice(writes) + 1 for _ in range(count)]
    return sorted(chosen)
