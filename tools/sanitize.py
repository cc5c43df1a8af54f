"""Build the native module with sanitizers and run tests under them.

    .venv/bin/python tools/sanitize.py address      # AddressSanitizer and UndefinedBehaviorSanitizer
    .venv/bin/python tools/sanitize.py thread       # ThreadSanitizer

Further arguments go to pytest (default: tests/splat). Linux and GCC. The ordinary module stays as it is. Leaks are not
looked for: Python and PyTorch leave too much behind on purpose.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = {"address": "address,undefined", "thread": "thread"}
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    # Only our code is instrumented: what PyTorch's own threads do is not seen whole, so it is not judged.
    "TSAN_OPTIONS": "ignore_noninstrumented_modules=1:report_signal_unsafe=0:exitcode=66",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def built(kind: str) -> Path:
    """The module with the sanitizers of `kind`, built if need be."""
    folder = ROOT / "build" / kind
    beside = Path(sys.executable).parent
    tools = {name: str(beside / name) if (beside / name).exists() else name for name in ("cmake", "ninja")}
    configure = [tools["cmake"], "-S", ROOT, "-B", folder, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools['ninja']}",
                 f"-DPython_EXECUTABLE={sys.executable}", f"-DLOCUTOR_SANITIZE={KINDS[kind]}"]  # fmt: skip
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([tools["cmake"], "--build", folder], check=True)
    (module,) = folder.glob("_native*.so")
    return module


def run_tests(module: Path, arguments: list[str]) -> int:
    """Pytest with `module` in the place of locutor._native."""
    spec = importlib.util.spec_from_file_location("locutor._native", module)
    assert spec is not None
    assert spec.loader is not None
    native = importlib.util.module_from_spec(spec)
    sys.modules["locutor._native"] = native
    spec.loader.exec_module(native)
    import pytest

    print(f"native module: {native.__file__}", flush=True)
    return pytest.main(arguments)


def main() -> None:
    if len(sys.argv) > 2 and sys.argv[1] == "--inside":
        sys.exit(run_tests(Path(sys.argv[2]), sys.argv[3:]))
    if len(sys.argv) < 2 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    kind, arguments = sys.argv[1], sys.argv[2:] or ["tests/splat", "-q", "-x", "-s"]
    module = built(kind)
    compiler = os.environ.get("CXX", "c++")
    # libstdc++ too: the sanitizers must find its functions for exceptions, and Python brings it in too late.
    names = ("libtsan.so" if kind == "thread" else "libasan.so", "libstdc++.so.6")
    found = [subprocess.check_output([compiler, f"-print-file-name={name}"], text=True).strip() for name in names]
    environment = OPTIONS | os.environ | {"LD_PRELOAD": ":".join(found)}
    # ThreadSanitizer's shadow memory does not go with every random layout of addresses.
    fixed = ["setarch", platform.machine(), "-R"] if kind == "thread" else []
    again = [*fixed, sys.executable, __file__, "--inside", str(module), *arguments]
    sys.exit(subprocess.run(again, env=environment, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
