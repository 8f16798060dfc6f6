"""What is set for the time being is set back, and getting ready loads the kernels and little else."""

from __future__ import annotations

import subprocess
import sys

import cv2
import pytest

from vbtools.ops.threads import opencv_threads


def test_opencvs_threads_are_given_back_whatever_happens() -> None:
    before = cv2.getNumThreads()
    inside = []

    def fails() -> None:
        with opencv_threads(1):
            inside.append(cv2.getNumThreads())
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert inside == [1]
    assert cv2.getNumThreads() == before


def test_getting_ready_loads_the_kernels_without_what_they_do_not_need_which_still_loads_afterwards() -> None:
    code = (
        "import sys; from vbtools.ops.compiled import warm_up; warm_up()\n"
        "assert 'numba.np.linalg' in sys.modules\n"
        "unneeded = ('scipy.linalg', 'coverage', 'cffi')\n"
        "assert not [name for name in unneeded if name in sys.modules]\n"
        "import scipy.linalg; scipy.linalg.inv([[2.0]]); warm_up(); assert sys.modules['scipy.linalg'] is scipy.linalg"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_what_one_thread_does_without_others_can_load_meanwhile() -> None:
    code = (
        "import sys, threading\n"
        "from vbtools.ops.compiled import _without\n"
        "loaded = []\n"
        "def load():\n"
        "    import wave\n"
        "    loaded.append(wave)\n"
        "with _without('wave'):\n"
        "    try:\n"
        "        import wave\n"
        "        sys.exit('it was found')\n"
        "    except ModuleNotFoundError:\n"
        "        pass\n"
        "    other = threading.Thread(target=load)\n"
        "    other.start()\n"
        "    other.join()\n"
        "assert loaded, 'the other thread must find it'\n"
        "import wave; assert wave is loaded[0]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
