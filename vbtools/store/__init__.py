"""The project file: one HDF5 file that always opens, with bulk beside it. ``h5py`` is imported only here.

A reader never waits for a writer, and a writer never changes a file that exists: bulk goes to new files, and the small
project file is rebuilt beside itself and swapped in. ``docs/format.md`` describes what is stored.
"""

from vbtools.store.fingerprint import fingerprint
from vbtools.store.housekeeping import collect_garbage, pack
from vbtools.store.reader import Reader
from vbtools.store.record import Record, Source
from vbtools.store.writer import StageOutput, Writer

__all__ = ["Reader", "Record", "Source", "StageOutput", "Writer", "collect_garbage", "fingerprint", "pack"]
